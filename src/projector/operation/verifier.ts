// What `homing verify` asks of every part that says it equals the log.
import type { DeadLetter } from '../fold/parking.js';

/** Differences that are told one by one; all are counted. */
export const differencesToldMax = 100;

export interface Difference {
  /** The key, row or cell that differs. */
  readonly at: string;
  /** What the fold of the log says; undefined: nothing should be there. */
  readonly expected: unknown;
  /** What is there; undefined: nothing. */
  readonly found: unknown;
}

export interface VerifyReport {
  /** `documents inbox/0`, `facts event_facts` … */
  readonly part: string;
  /** Up to where it was compared. */
  readonly position: bigint;
  /** Keys, rows or cells. */
  readonly compared: number;
  readonly differences: number;
  /** The first `differencesToldMax` of them. */
  readonly told: readonly Difference[];
  readonly parked: readonly DeadLetter[];
}

export interface Verifier {
  readonly part: string;
  /** Compares with an independent fold, while the service runs or not. @throws when it cannot be compared at all */
  verify(signal?: AbortSignal): Promise<VerifyReport>;
}
