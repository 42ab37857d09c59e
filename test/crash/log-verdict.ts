// What must be true of a log after any crash, however it came about.
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import type { LogEvent } from '../../src/event-log/event-log.js';
import { crashLogOptions, dataOf, eventId, type UnitMark, unitKey } from './log-units.js';

export interface Expectation {
  readonly directory: string;
  readonly seed: number;
  /** Keys of the units whose acknowledgement was heard. */
  readonly acknowledged: ReadonlySet<string>;
}

function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`after the crash: ${what}`);
}

/** Gives the number of events checked. @throws at the first thing that is lost, doubled, out of order or half there */
export async function judge({ directory, seed, acknowledged }: Expectation): Promise<number> {
  const log = await EmbeddedEventLog.open(directory, crashLogOptions);
  try {
    const found = new Findings(seed);
    for await (const page of log.readEverything({ direction: 'forwards' })) for (const event of page) found.add(event);
    found.end();
    for (const key of acknowledged) must(found.units.has(key), `unit ${key} was acknowledged and is gone`);
    for (const [stream, ids] of found.streams) {
      const inStream: string[] = [];
      for await (const page of log.readStream(stream)) for (const event of page) inStream.push(event.id);
      must(inStream.join() === ids.join(), `${stream} read by its index differs from the log`);
    }
    must((await log.head()) === found.last, `the head is ${await log.head()}, the last event stands at ${found.last}`);
    const [stream, ids] = [...found.streams].at(-1) ?? [];
    if (stream && ids) await writesOn(log, stream, ids.length - 1);
    return found.events;
  } finally {
    await log.close();
  }
}

class Findings {
  readonly units = new Set<string>();
  readonly streams = new Map<string, string[]>();
  readonly ids = new Set<string>();
  last = 0n;
  events = 0;
  private open: UnitMark | undefined;
  private readonly lastOf = new Map<string, number>();

  constructor(private readonly seed: number) {}

  add(event: LogEvent): void {
    const at = `${event.stream}@${event.revision}`;
    must(event.position > this.last, `${at} stands at ${event.position}, not after ${this.last}`);
    must(!this.ids.has(event.id), `event ${event.id} is there twice`);
    const mark = JSON.parse(Buffer.from(event.metadata).toString()) as UnitMark;
    if (mark.round >= 0) this.checkUnit(event, mark, at);
    const ids = this.streams.get(event.stream) ?? [];
    must(event.revision === ids.length, `${at} should be revision ${ids.length}`);
    ids.push(event.id);
    this.streams.set(event.stream, ids);
    this.ids.add(event.id);
    this.last = event.position;
    this.events += 1;
  }

  end(): void {
    must(this.open === undefined, `unit ${this.open && unitKey(this.open)} is half there`);
  }

  private checkUnit(event: LogEvent, mark: UnitMark, at: string): void {
    must(event.id === eventId(this.seed, mark), `${at} has not the id of its place`);
    must(Buffer.from(event.data).equals(dataOf(event.id)), `${at} has not the data it was given`);
    const key = unitKey(mark);
    const next = this.open ? this.open.index + 1 : 0;
    must(mark.index === next && (!this.open || unitKey(this.open) === key), `${at}: a unit before it is half there`);
    this.open = mark.index + 1 < mark.size ? mark : undefined;
    if (this.open) return;
    const writer = `${mark.round}/${mark.writer}`;
    must(
      mark.number === (this.lastOf.get(writer) ?? -1) + 1,
      `${at}: writer ${writer} is out of order at unit ${mark.number}`,
    );
    this.lastOf.set(writer, mark.number);
    this.units.add(key);
  }
}

/** The log goes on: an append with the revision that was found is taken. */
async function writesOn(log: EmbeddedEventLog, stream: string, revision: number): Promise<void> {
  const event = {
    id: crypto.randomUUID(),
    type: 'AfterCrash',
    contentType: 'application/octet-stream' as const,
    data: new Uint8Array(0),
    metadata: Buffer.from('{"round":-1}'),
  };
  const result = await log.append(stream, [event], revision);
  must(result.revision === revision + 1, `${stream} goes on at ${result.revision}`);
}
