// The log folded again for a comparison, in one pass from its beginning: what every planned chunk should be, and every
// event that no plan covers though rows could be made of it, or should have been. A plan is believed nothing: an event
// that was passed over is found.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EventLogReader, LogEvent } from '../../../event-log/event-log.js';
import type { Chunk } from '../chunk/chunk.js';
import { isBookkeeping, PlannedFold, type PlannedSource } from '../chunk/chunk-stream.js';
import { allPlans, type ChunkPlan } from '../chunk/plan-log.js';

export type Refolded =
  /** Without a chunk: the log does not give what was planned. */
  | { readonly kind: 'planned'; readonly plan: ChunkPlan; readonly chunk: Chunk | undefined }
  | { readonly kind: 'unplanned'; readonly event: LogEvent; readonly expected: string };

/** Everything up to a position, in the order of the log. Holds one chunk and one page at a time. */
export async function* refold(from: PlannedSource, upTo: bigint): AsyncIterable<Refolded> {
  const plans = spans(from.log, from.stream, upTo)[Symbol.asyncIterator]();
  let current = await nextFold(from, plans);
  try {
    for await (const page of from.log.readAll()) {
      for (const event of page) {
        if (event.position > upTo) break;
        while (current && event.position > current.plan.to) {
          yield current.done();
          current = await nextFold(from, plans);
        }
        if (current && event.position > current.plan.after) current.add(event);
        else yield* unplanned(from, event);
      }
      if ((page.at(-1)?.position ?? 0n) > upTo) break;
      await nextTurn();
    }
    for (; current; current = await nextFold(from, plans)) yield current.done();
  } finally {
    await plans.return?.();
  }
}

class SpanFold {
  private readonly fold: PlannedFold;
  private failed = false;

  constructor(
    from: PlannedSource,
    readonly plan: ChunkPlan,
  ) {
    this.fold = new PlannedFold(from, plan);
  }

  add(event: LogEvent): void {
    try {
      this.fold.add(event);
    } catch {
      this.failed = true;
    }
  }

  done(): Refolded {
    return { kind: 'planned', plan: this.plan, chunk: this.failed ? undefined : this.fold.build() };
  }
}

async function nextFold(from: PlannedSource, plans: AsyncIterator<ChunkPlan>): Promise<SpanFold | undefined> {
  const { value, done } = await plans.next();
  return done ? undefined : new SpanFold(from, value);
}

/** Plans in the order of the log; a chunk that was planned again after a repair is the same chunk. */
async function* spans(log: EventLogReader, stream: string, upTo: bigint): AsyncGenerator<ChunkPlan, void> {
  let last: ChunkPlan | undefined;
  for await (const plan of allPlans(log, stream)) {
    if (plan.to > upTo) return;
    if (plan.only || (last?.id === plan.id && last.to === plan.to)) continue;
    yield plan;
    last = plan;
  }
}

function* unplanned({ source, decode }: PlannedSource, event: LogEvent): Iterable<Refolded> {
  if (isBookkeeping(event.stream)) return;
  try {
    const decoded = decode(event);
    const { on } = source.projection;
    const rows = Object.hasOwn(on, decoded.type) ? (on[decoded.type]?.(decoded).length ?? 0) : 0;
    if (rows > 0) yield { kind: 'unplanned', event, expected: `${rows} rows` };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    yield { kind: 'unplanned', event, expected: `rows, or parked: ${why}` };
  }
}
