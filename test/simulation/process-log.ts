// An event log that can be written to, as one process of a simulated world sees it: every call takes its time and may fail
// on either side.
import type {
  AppendResult,
  EventLog,
  ExpectedRevision,
  LogEvent,
  NewEvent,
  ReadOptions,
  SubscriptionPage,
} from '../../src/event-log/event-log.js';
import type { MemoryLog } from '../projector/clickhouse/memory-log.js';
import type { Around } from '../projector/memory-documents.js';
import { type World, WorldLog } from './world.js';

export class ProcessLog extends WorldLog {
  private readonly around: Around;

  constructor(
    world: World,
    process: string,
    private readonly log: MemoryLog,
  ) {
    super(world, process, log.events, 200);
    this.around = world.around(process);
  }

  append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    return this.around(() => this.log.append(stream, events, expected), `append ${stream}`);
  }

  async *readStream(stream: string, options: ReadOptions = {}): AsyncIterable<readonly LogEvent[]> {
    const pages: (readonly LogEvent[])[] = [];
    await this.around(async () => {
      for await (const page of this.log.readStream(stream, options)) pages.push(page);
    }, `read ${stream}`);
    yield* pages;
  }

  async *subscribeStream(
    stream: string,
    { after = -1, signal }: { readonly after?: number; readonly signal: AbortSignal },
  ): AsyncIterable<SubscriptionPage> {
    let last = after;
    while (!signal.aborted) {
      await this.world.pause(this.process, 0, 'subscription');
      const page = this.log.events.filter((event) => event.stream === stream && event.revision > last);
      last = page.at(-1)?.revision ?? last;
      if (page.length > 0) yield { kind: 'events', events: page };
      else await this.world.sleep(this.process, this.lookMs, signal);
    }
  }
}

/** For those who do no more with it than this one can. */
export function asEventLog(log: ProcessLog): EventLog {
  return log as unknown as EventLog;
}
