// The log as chunks: read on, fold into rows, and cut when a chunk is full or its first row has waited long enough.
// The cut may be anywhere, for it is written into the log before anything is inserted.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EventLogReader, LogEvent } from '../../../event-log/event-log.js';
import { categoryOf, type RecordedEvent } from '../../../kernel/message.js';
import { parkedEvent } from '../../operation/parked-event.js';
import { systemTimers, type Timers } from '../../timers.js';
import { type Chunk, ChunkBuilder, type FactSource, parkedMax } from './chunk.js';
import { type ChunkPlan, parkedAmong } from './plan-log.js';

export interface ChunkLimits {
  readonly rowsMax: number;
  /** Of the chunk's text. */
  readonly bytesMax: number;
  /** A chunk is cut this long after its first row, milliseconds. */
  readonly waitMs: number;
}

/** The first chunk is at most so long, rows: until it comes the engine has nothing to do. */
const firstRowsMax = 5_000;

/** Where others share the thread, they get a turn of its event loop after so long, milliseconds. */
const turnMsMax = 12;
/** How many events are folded between two looks at the clock. */
const eventsPerLook = 32;

/** Streams that the machinery itself writes: they are passed by, or a plan would need a plan. */
const bookkeeping: ReadonlySet<string> = new Set(['subjectkey', 'sink', 'reactor', 'apikeys', 'clock', 'hominglog']);
export function isBookkeeping(stream: string): boolean {
  return bookkeeping.has(categoryOf(stream));
}

/** A span of the log that was considered; `chunk` when it made rows. */
export interface Cut {
  readonly chunk: Chunk | undefined;
  readonly considered: bigint;
  /** The latest `receivedAt` in it, milliseconds since 1970; 0 when there was none. */
  readonly receivedUpToMs: number;
  /** Nothing of the log was left to read when it was cut. */
  readonly caughtUp: boolean;
}

function cutOf(builder: ChunkBuilder, caughtUp: boolean): Cut {
  return {
    chunk: builder.build(),
    considered: builder.considered,
    receivedUpToMs: builder.receivedUpTo,
    caughtUp,
  };
}

export type Decode = (event: LogEvent) => RecordedEvent;

function fold(builder: ChunkBuilder, event: LogEvent, decode: Decode): void {
  if (isBookkeeping(event.stream)) {
    builder.pass(event.position);
    return;
  }
  try {
    builder.add(decode(event));
  } catch (error) {
    builder.park(event, error);
  }
}

function isFull(builder: ChunkBuilder, limits: ChunkLimits): boolean {
  return builder.rows >= limits.rowsMax || builder.bytes >= limits.bytesMax || builder.parked.length >= parkedMax;
}
function isEmpty(builder: ChunkBuilder): boolean {
  return builder.rows === 0 && builder.parked.length === 0;
}

export interface CutOptions {
  readonly after: bigint;
  readonly limits: ChunkLimits;
  readonly signal: AbortSignal;
}
/** Everything of a log after a position, for ever, until the signal aborts; wherever it is read and folded. */
export type CutLog = (options: CutOptions) => AsyncIterable<Cut>;

/** In this thread. */
export async function* cutLog(
  log: { subscribeAll(options: { after?: bigint; signal: AbortSignal }): AsyncIterable<SubscribedPage> },
  source: FactSource,
  decode: Decode,
  options: CutOptions,
  timers: Timers = systemTimers,
): AsyncIterable<Cut> {
  let limits: ChunkLimits = { ...options.limits, rowsMax: Math.min(options.limits.rowsMax, firstRowsMax) };
  // Its own signal too: a consumer that stops must not wait for a page that may never come.
  const stopped = new AbortController();
  const signal = AbortSignal.any([options.signal, stopped.signal]);
  const pages = log.subscribeAll({ after: options.after, signal })[Symbol.asyncIterator]();
  let builder = new ChunkBuilder(source, options.after);
  let wait: Wait | undefined;
  const cut = (caughtUp: boolean): Cut => {
    const done = cutOf(builder, caughtUp);
    builder = new ChunkBuilder(source, builder.considered);
    if (done.chunk) limits = options.limits;
    wait?.stop();
    wait = undefined;
    return done;
  };
  let next = pages.next();
  let events = 0;
  let turnEnds = timers.now() + turnMsMax;
  try {
    for (;;) {
      const page = await (wait ? Promise.race([next, wait.over]) : next);
      if (page === 'over') {
        yield cut(false);
        continue;
      }
      if (page.done) return;
      next = pages.next();
      // A failure is met when the promise is awaited; until then it must not count as unhandled.
      next.catch(() => undefined);
      if (page.value.kind === 'caught-up') {
        if (isEmpty(builder)) yield cut(true);
        continue;
      }
      for (const event of page.value.events) {
        // Also when the log should give an event again, its rows are made once.
        if (event.position <= builder.considered) continue;
        fold(builder, event, decode);
        if (isFull(builder, limits)) yield cut(false);
        events += 1;
        if (events % eventsPerLook > 0 || timers.now() < turnEnds) continue;
        await nextTurn();
        turnEnds = timers.now() + turnMsMax;
      }
      if (!isEmpty(builder)) wait ??= waitFor(limits.waitMs, timers);
    }
  } finally {
    wait?.stop();
    stopped.abort();
    await pages.return?.();
  }
}

type SubscribedPage =
  | { readonly kind: 'events'; readonly events: readonly LogEvent[] }
  | { readonly kind: 'caught-up'; readonly position: bigint };

interface Wait {
  readonly over: Promise<'over'>;
  stop(): void;
}
function waitFor(ms: number, timers: Timers): Wait {
  const stopped = new AbortController();
  return { over: timers.sleep(ms, stopped.signal).then(() => 'over' as const), stop: () => stopped.abort() };
}

/** The fold of one planned chunk, event by event. */
export class PlannedFold {
  private readonly builder: ChunkBuilder;
  private readonly decode: Decode;
  private readonly leftOut: ReadonlySet<bigint>;

  constructor(
    { source, decode }: Pick<PlannedSource, 'source' | 'decode'>,
    private readonly plan: ChunkPlan,
  ) {
    this.builder = new ChunkBuilder(source, plan.after, plan.id);
    this.decode = decode;
    this.leftOut = new Set(plan.parked.map(({ position }) => position));
  }

  /** @throws whatever an event throws that was folded when it was planned */
  add(event: LogEvent): void {
    // What was parked stays out of this chunk, also when the code of today could fold it: that is another plan's work.
    if (isBookkeeping(event.stream)) this.builder.pass(event.position);
    else if (this.leftOut.has(event.position)) this.builder.park(event, undefined);
    else this.builder.add(this.decode(event));
  }

  /** Undefined when the log does not give what was planned. */
  build(): Chunk | undefined {
    const chunk = this.builder.build();
    const { plan } = this;
    const same = chunk && chunk.events === plan.events && chunk.rows === plan.rows && chunk.xor === plan.xor;
    return same ? { ...chunk, after: plan.after, to: plan.to, parked: plan.parked } : undefined;
  }
}

/** Where the chunks of a build come from. */
export interface PlannedSource {
  readonly log: EventLogReader;
  readonly source: FactSource;
  readonly decode: Decode;
  /** Of plans, of the build. */
  readonly stream: string;
}

/** The chunk of a plan, read from the log again. Undefined when the log does not give what was planned. */
export async function chunkOfPlan(from: PlannedSource, plan: ChunkPlan): Promise<Chunk | undefined> {
  const fold = new PlannedFold(from, plan);
  for await (const event of eventsOfPlan(from, plan)) fold.add(event);
  return fold.build();
}

async function* eventsOfPlan({ log, stream }: PlannedSource, plan: ChunkPlan): AsyncIterable<LogEvent> {
  if (plan.only) {
    const { parked } = await parkedAmong(log, stream, new Set(plan.only));
    for (const position of plan.only) {
      const place = parked.get(position);
      const event = place && (await parkedEvent(log, place));
      if (event) yield event;
    }
    return;
  }
  for await (const page of log.readAll({ after: plan.after })) {
    for (const event of page) {
      if (event.position > plan.to) return;
      yield event;
    }
    await nextTurn();
  }
}
