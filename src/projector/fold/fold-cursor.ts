// An independent fold in memory, moved forward over the log to just the position it is asked for.
import type { EventLogReader, LogEvent } from '../../event-log/event-log.js';
import { ownKeys } from '../../kernel/document-keys.js';
import type { DocumentProjection } from '../../kernel/projection.js';
import { MemorySink } from '../sinks/memory-sink.js';
import { DocumentRunner, type RunnerLimits } from './document-runner.js';
import { type Decoder, decodePage } from './page.js';

export interface FoldOptions {
  readonly log: Pick<EventLogReader, 'readAll'>;
  readonly decoder: Decoder;
  readonly logId: string;
  readonly projection: DocumentProjection;
  readonly shard: number;
  readonly shards: number;
  readonly limits: RunnerLimits;
  /** Positions that were dropped by hand: the fold leaves them out too. */
  readonly dropped: Iterable<string>;
}

export class FoldCursor {
  readonly sink = new MemorySink();
  private readonly runner: DocumentRunner;
  private opened = false;

  constructor(private readonly options: FoldOptions) {
    for (const position of options.dropped) this.sink.setField(ownKeys.dropped, position, '{}');
    this.runner = new DocumentRunner(options.projection, this.sink, options);
  }

  get position(): bigint {
    return this.runner.position;
  }

  /** Folds everything up to and including `position`; never back. */
  async advanceTo(position: bigint, signal?: AbortSignal): Promise<void> {
    if (!this.opened) {
      await this.runner.open();
      await this.runner.begin();
      this.opened = true;
    }
    if (position <= this.position) return;
    const after = this.position > 0n ? { after: this.position } : {};
    for await (const events of this.options.log.readAll({ ...after, ...(signal ? { signal } : {}) })) {
      signal?.throwIfAborted();
      const wanted = upTo(events, position);
      const page = await decodePage(wanted, this.options.decoder, (type) => this.runner.wants(type));
      await this.runner.fold(page, this.position, signal);
      if (wanted.length < events.length) break;
    }
    await this.runner.pass(position);
  }
}

function upTo(events: readonly LogEvent[], position: bigint): readonly LogEvent[] {
  const beyond = events.findIndex((event) => event.position > position);
  return beyond < 0 ? events : events.slice(0, beyond);
}
