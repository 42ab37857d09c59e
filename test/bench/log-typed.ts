// Typed events in, typed events out: what a program gets from the embedded log, JSON both ways included.
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import type { LogEvent, NewEvent } from '../../src/event-log/event-log.js';
import { deriveId } from '../../src/kernel/ids.js';

/** So that nothing is optimised away. */
export const seen = { bytes: 0 };

export interface TypedEvent {
  readonly type: string;
  readonly data: { readonly body: string };
  readonly metadata: { readonly source: string };
}

export interface TypedStore {
  append(stream: string, events: readonly TypedEvent[], last: number): Promise<void>;
  /** Every event from the start, typed; gives their number. */
  scan(): Promise<number>;
  /** As scan, but as a subscriber from the start until it has caught up. */
  follow(): Promise<number>;
  settle?(): Promise<void>;
  close(): Promise<void>;
}

export interface TypedKind {
  readonly name: string;
  open(directory: string): Promise<TypedStore>;
}

let made = 0;

function encode({ type, data, metadata }: TypedEvent): NewEvent {
  return {
    id: deriveId('bench', `${made++}`),
    type,
    contentType: 'application/json',
    data: Buffer.from(JSON.stringify(data)),
    metadata: Buffer.from(JSON.stringify(metadata)),
  };
}

function decode(event: LogEvent): TypedEvent {
  return {
    type: event.type,
    data: JSON.parse(event.data.toString()) as TypedEvent['data'],
    metadata: JSON.parse(event.metadata.toString()) as TypedEvent['metadata'],
  };
}

function look(events: readonly LogEvent[]): number {
  for (const event of events) {
    const { data, metadata } = decode(event);
    seen.bytes += data.body.length + metadata.source.length;
  }
  return events.length;
}

export async function scanTyped(log: EmbeddedEventLog): Promise<number> {
  let count = 0;
  for await (const page of log.readAll()) count += look(page);
  return count;
}

export const homingTyped: TypedKind = {
  name: 'homing embedded log',
  open: async (directory) => {
    const log = await EmbeddedEventLog.open(directory);
    return {
      append: async (stream, events, last) => {
        await log.append(stream, events.map(encode), last < 0 ? 'no_stream' : last);
      },
      scan: () => scanTyped(log),
      follow: async () => {
        let count = 0;
        const stop = new AbortController();
        for await (const page of log.subscribeAll({ signal: stop.signal })) {
          if (page.kind === 'caught-up') stop.abort();
          else count += look(page.events);
        }
        return count;
      },
      close: () => log.close(),
    };
  },
};
