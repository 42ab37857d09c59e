// What the parent says to the process that it is going to kill, and what that tells, one JSON object per line.

export interface Orders {
  readonly directory: string;
  readonly seed: number;
}

export type Told =
  /** The engines are open; their processes. */
  | { readonly kind: 'open'; readonly redis: number; readonly clickhouse: number }
  /** What the last kill left was compared with the log, to the row. */
  | {
      readonly kind: 'verified';
      /** Events of the history that the log holds. */
      readonly written: number;
      readonly compared: number;
      readonly differences: number;
      readonly wrong: readonly string[];
    }
  /** Events of the history up to here are acknowledged. */
  | { readonly kind: 'acknowledged'; readonly events: number }
  | { readonly kind: 'exhausted' };
