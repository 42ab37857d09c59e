// A page of the log as the runners of a lane share it: each event is decoded once, and only if one of them wants its type.
import type { EventCodec } from '../../event-log/codec.js';
import type { LogEvent } from '../../event-log/event-log.js';
import type { AnyEvent } from '../../kernel/projection.js';

export interface PageEvent {
  readonly log: LogEvent;
  /** The decoded event, why it could not be decoded, or undefined: nobody wants its type. */
  readonly decoded: AnyEvent | Error | undefined;
}

export type Decoder = Pick<EventCodec, 'decode'>;

/** A fault of the machinery (the key store cannot be reached) is thrown; an event that cannot be read is an answer. */
export async function decodePage(
  events: readonly LogEvent[],
  decoder: Decoder,
  wants: (type: string) => boolean,
): Promise<PageEvent[]> {
  const page: PageEvent[] = [];
  for (const log of events) {
    page.push({ log, decoded: wants(log.type) ? await decodeOne(log, decoder) : undefined });
  }
  return page;
}

async function decodeOne(event: LogEvent, decoder: Decoder): Promise<AnyEvent | Error> {
  try {
    return await decoder.decode(event, { reveal: true });
  } catch (error) {
    if (error instanceof Error && error.name === 'EventUnreadable') return error;
    throw error;
  }
}
