// The business says no. Everything else that is thrown is a fault.

/** A refusal with a stable, kebab-case code; mapped to an HTTP status in one table (http/problem.ts). */
export class Rejection extends Error {
  constructor(
    readonly code: string,
    readonly detail: string,
    /** Figures a client can act on, such as `{ limit: 1000, current: 1000 }`. Never a name or a text. */
    readonly extra: Readonly<Record<string, string | number | boolean>> = {},
  ) {
    super(`${code}: ${detail}`);
    this.name = 'Rejection';
  }
}
