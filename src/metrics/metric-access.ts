// What every metric route does alike: wait for the caller's position, and say when the facts cannot be read.
import { Problem } from '../http/problem/problem.js';
import { decodePositionToken } from '../kernel/position-token.js';
import { isUnreachable } from '../stores/clickhouse/retryable.js';
import { FactsNotReady, type FactsReader, type FactsState } from './facts-reader.js';

const retryAfterSec = 1;

export interface Fresh {
  readonly state: FactsState;
  /** The position asked for was not reached in time. */
  readonly stale: boolean;
}

export class MetricAccess {
  constructor(
    readonly reader: FactsReader,
    readonly timeZone: string,
    private readonly logId: string,
    private readonly waitMsMax: number,
  ) {}

  /** @throws Problem `bad-position`, `store-unavailable` */
  async fresh(minPosition: string | undefined): Promise<Fresh> {
    const token = minPosition ? decodePositionToken(minPosition) : undefined;
    if (minPosition && token?.logId !== this.logId) {
      throw new Problem('bad-position', 'minPosition is not a position that a write of this service answered');
    }
    const position = token?.position ?? 0n;
    const state = await available(this.reader.waitFor(position, this.waitMsMax));
    return { state, stale: state.position < position };
  }
}

/**
 * Runs a read of the facts; a store that does not answer is the client's 503, not its 500. What the engine has answered is
 * a fault even where the same statement might succeed later (see isRetryable): a query that is too large would be asked
 * again and again.
 */
export async function available<Value>(reading: Promise<Value>): Promise<Value> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof FactsNotReady) {
      throw new Problem('store-unavailable', 'the facts are being built', { retryAfterSec });
    }
    if (isUnreachable(error)) {
      throw new Problem('store-unavailable', 'the analytics store does not answer now', { retryAfterSec });
    }
    throw error;
  }
}
