// What the adapter waits for and how often, with its named limits.

export interface EventStoreDbSettings {
  /** One try of an append, a delete or the first answer of a read; then the connection is given up and it is tried again. */
  readonly attemptTimeoutMs: number;
  /** All tries of one call together; then it fails with LogUnavailable. */
  readonly giveUpAfterMs: number;
  /** The first pause between two tries; it doubles up to `backOffMaxMs`, and each is a random part of it. */
  readonly backOffMinMs: number;
  readonly backOffMaxMs: number;
  /** A subscription that brought nothing for this long asks the server whether there is something to bring. */
  readonly idleCheckMs: number;
  /** Bytes of appends that are not answered yet; beyond it appends are refused with LogUnavailable. */
  readonly inFlightBytesMax: number;
  readonly random: () => number;
}

export const defaultSettings: EventStoreDbSettings = {
  attemptTimeoutMs: 10_000,
  giveUpAfterMs: 60_000,
  backOffMinMs: 50,
  backOffMaxMs: 5_000,
  idleCheckMs: 15_000,
  inFlightBytesMax: 64 * 1024 * 1024,
  random: Math.random,
};
