// Observations of many requests, written together: one writer per stream takes whatever waits for it as one append.
// What waits is bounded in bytes; a request that does not fit is refused whole, and sending it again doubles nothing.
import type { IdentifiedObservation } from '../../domain/observation/observation.commands.js';
import { observationDecider } from '../../domain/observation/observation.decider.js';
import { observationStreams } from '../../domain/observation/observation.events.js';
import { sizeOf } from '../../domain/observation/recent-ids.js';
import { type CommandContext, EventStore } from '../../event-log/transact.js';
import { Problem } from '../../http/problem/problem.js';

/** Events and bytes of one append: well under the log's limit for one. */
const appendEventsMax = 500;
const appendBytesMax = 512 * 1024;
/** What an event weighs in an append beside its data: metadata and the record around it. */
const overheadBytes = 700;

export interface ObservationToWrite {
  readonly observation: IdentifiedObservation;
  readonly metadata: CommandContext;
}
export type Outcome = 'accepted' | 'duplicate';

interface Waiting extends ObservationToWrite {
  readonly bytes: number;
  readonly resolve: (done: { outcome: Outcome; position: bigint }) => void;
  readonly reject: (error: unknown) => void;
}

/** Even over the streams, and the same for the same id. */
export function streamOf(eventId: string): string {
  return String(Number.parseInt(eventId.slice(0, 8), 16) % observationStreams).padStart(2, '0');
}

function later(a: bigint, b: bigint): bigint {
  return [a, b].sort((left, right) => (left < right ? 1 : -1))[0] ?? 0n;
}

export class ObservationWriter {
  private readonly waiting = new Map<string, Waiting[]>();
  private readonly running = new Set<string>();
  private bytes = 0;

  constructor(
    private readonly store: EventStore,
    private readonly queueBytesMax: number,
  ) {}

  /** Bytes that wait or are being written. */
  get queuedBytes(): number {
    return this.bytes;
  }

  /** Ids by which duplicates are known, over all streams: at least so many of the newest. */
  async rememberedIds(): Promise<number> {
    const streams = Array.from({ length: observationStreams }, (_, n) => String(n).padStart(2, '0'));
    const states = await Promise.all(streams.map((stream) => this.store.state(observationDecider, stream)));
    return states.reduce((sum, { state }) => sum + sizeOf(state), 0);
  }

  /**
   * In the order of the items.
   * @throws Problem queue-full before anything is written; EventLogError when a write failed (some may be written: the
   * same items sent again are told apart).
   */
  async write(items: readonly ObservationToWrite[]): Promise<{ outcomes: readonly Outcome[]; position: bigint }> {
    const sized = items.map((item) => ({
      ...item,
      bytes: JSON.stringify(item.observation.data).length + overheadBytes,
    }));
    const bytes = sized.reduce((sum, item) => sum + item.bytes, 0);
    if (this.bytes > 0 && this.bytes + bytes > this.queueBytesMax) {
      const detail = `${this.bytes} of at most ${this.queueBytesMax} bytes wait to be written: send it again later`;
      throw new Problem('queue-full', detail, { retryAfterSec: 1 });
    }
    this.bytes += bytes;
    try {
      // All are waited for, also when one fails: what still waits still weighs.
      const settled = await Promise.allSettled(sized.map((item) => this.enqueue(item)));
      const done = settled.map((one) => {
        if (one.status === 'rejected') throw one.reason;
        return one.value;
      });
      const position = done.map((one) => one.position).reduce(later, 0n);
      return { outcomes: done.map(({ outcome }) => outcome), position };
    } finally {
      this.bytes -= bytes;
    }
  }

  private enqueue(item: ObservationToWrite & { bytes: number }): Promise<{ outcome: Outcome; position: bigint }> {
    const stream = streamOf(item.observation.id);
    return new Promise((resolve, reject) => {
      const queue = this.waiting.get(stream) ?? [];
      queue.push({ ...item, resolve, reject });
      this.waiting.set(stream, queue);
      if (!this.running.has(stream)) void this.drain(stream);
    });
  }

  private async drain(stream: string): Promise<void> {
    this.running.add(stream);
    // Whoever is enqueued in this turn goes along.
    await Promise.resolve();
    for (let batch = this.take(stream); batch.length > 0; batch = this.take(stream)) await this.append(stream, batch);
    this.running.delete(stream);
  }

  private take(stream: string): Waiting[] {
    const queue = this.waiting.get(stream) ?? [];
    let bytes = 0;
    const end = queue.findIndex((item, index) => {
      bytes += item.bytes;
      return index >= appendEventsMax || (index > 0 && bytes > appendBytesMax);
    });
    const batch = queue.splice(0, end < 0 ? queue.length : end);
    if (queue.length === 0) this.waiting.delete(stream);
    return batch;
  }

  private async append(stream: string, batch: readonly Waiting[]): Promise<void> {
    const metadataById = new Map(batch.map(({ observation, metadata }) => [observation.id, metadata]));
    const [first] = batch as [Waiting];
    try {
      const { events, position } = await this.store.transact({
        decider: observationDecider,
        id: stream,
        commands: [
          {
            type: 'RecordObservations',
            data: { observations: batch.map(({ observation }) => observation) },
            now: first.metadata.receivedAt,
          },
        ],
        context: first.metadata,
        // Each event is its own fact with its own time and actor; a group is no command anybody repeats.
        metadataOf: ({ id }) => metadataById.get(id ?? '') ?? first.metadata,
      });
      const written = new Set(events.map(({ id }) => id));
      for (const { observation, resolve } of batch) {
        // The first of two equal ones is the one that was written.
        resolve({ outcome: written.delete(observation.id) ? 'accepted' : 'duplicate', position });
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
