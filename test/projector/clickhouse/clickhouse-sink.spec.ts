// What the simulation of the facts found, each as an example of its own, on the facts in memory.
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { decodeHidden } from '../../../src/event-log/codec.js';
import { type LogEvent, LogUnavailable } from '../../../src/event-log/event-log.js';
import { cutLog, isBookkeeping } from '../../../src/projector/clickhouse/chunk/chunk-stream.js';
import { appendPlan, lastPlan, planStream } from '../../../src/projector/clickhouse/chunk/plan-log.js';
import { ClickHouseSink } from '../../../src/projector/clickhouse/clickhouse-sink.js';
import { changed } from '../../simulation/changed.js';
import type { Around } from '../memory-documents.js';
import { FactShelves, memoryFacts } from './memory-facts.js';
import { MemoryLog } from './memory-log.js';
import { logOf, source } from './running-sink.js';

const build = 1;

function sinkOn(shelves: FactShelves, log: MemoryLog, around?: Around, rowsMax = 10): ClickHouseSink {
  return new ClickHouseSink({
    log: log as never,
    tables: memoryFacts(shelves, around).tables(build),
    source,
    decode: decodeHidden,
    cutLog: (options) => cutLog(log as never, source, decodeHidden, options),
    clock: { now: () => Date.parse('2026-03-01T00:00:00.000Z') },
    limits: { rowsMax, bytesMax: 8_000_000, waitMs: 1 },
    sink: 'facts',
    build,
  });
}

async function catchUp(sink: ClickHouseSink, log: MemoryLog): Promise<void> {
  const stop = new AbortController();
  const running = sink.run(stop.signal);
  await Promise.race([sink.reaches(await log.head(), stop.signal), running]);
  stop.abort();
  await running;
}

/** More of what happened. */
async function goOn(log: MemoryLog): Promise<void> {
  const { events } = await logOf(40, 7);
  for (const event of events) await log.append(event.stream, [{ ...event, id: randomUUID() }], 'any');
}

/** The log's own rows, by the position of their event. */
function wantedRows(log: MemoryLog): readonly bigint[] {
  const { on } = source.projection;
  return log.events
    .filter(({ stream }) => !isBookkeeping(stream))
    .flatMap((event) => (on[event.type]?.(decodeHidden(event)) ?? []).map(() => event.position));
}

function positions(shelves: FactShelves): readonly bigint[] {
  return shelves
    .shelf(build)
    .rows.map(({ position }) => position)
    .toSorted((a, b) => Number(a - b));
}

function lose(shelves: FactShelves, chunk: bigint | undefined): void {
  const shelf = shelves.shelf(build);
  shelf.rows = shelf.rows.filter((row) => row.chunk !== chunk);
}

/** An engine that fails at a step as long as a test says so. */
function failing(at: RegExp): { readonly around: Around; readonly failed: Promise<void>; isOn: boolean } {
  let tell: () => void = () => undefined;
  const failed = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const engine = {
    isOn: false,
    failed,
    around: (async (step, what) => {
      if (!engine.isOn || !at.test(what)) return step();
      tell();
      throw new Error('the engine is away');
    }) as Around,
  };
  return engine;
}

async function happensOnce(log: MemoryLog): Promise<void> {
  const view = log.events.find(({ type }) => type === 'ContentViewed') as LogEvent;
  await log.append(view.stream, [{ ...view, id: randomUUID() }], 'any');
}

describe('the sink of the facts', () => {
  it('tells of a failure also when nothing more comes', async () => {
    const log = await logOf(20);
    const sink = sinkOn(new FactShelves(source), log);
    const running = sink.run(new AbortController().signal);
    await Promise.race([sink.reaches(await log.head(), new AbortController().signal), running]);
    log.beforeAppend = (stream) => {
      if (stream.startsWith('sink-')) throw new LogUnavailable('the log cannot be reached');
    };
    await happensOnce(log);
    await expect(running).rejects.toThrow(LogUnavailable);
  });

  it('makes rows of an event once, though the log should give it again', async () => {
    const log = await logOf(60);
    const shelves = new FactShelves(source);
    const again = changed(log, {
      async *subscribeAll(options) {
        for await (const page of log.subscribeAll(options)) {
          yield page;
          yield page;
        }
      },
    });
    await catchUp(sinkOn(shelves, again), log);
    expect(positions(shelves)).toEqual(wantedRows(log));
  });

  it('who steps in after the engine was away looks after what the other owner did', async () => {
    const log = await logOf(60);
    const shelves = new FactShelves(source);
    await catchUp(sinkOn(shelves, log), log);
    let isKilled = false;
    const around: Around = async (step) => {
      if (!isKilled) return step();
      isKilled = false;
      throw new Error('the engine was killed');
    };
    // Another owner, which cuts in another way, plans first; what it has inserted is lost together with it.
    let isFirst = true;
    const overtaken = changed(log, {
      append: async (...append) => {
        if (isFirst) {
          isFirst = false;
          await catchUp(sinkOn(shelves, log, undefined, 7), log);
          lose(shelves, shelves.shelf(build).rows.at(-1)?.chunk);
          isKilled = true;
        }
        return await log.append(...append);
      },
    });
    await goOn(log);
    const sink = sinkOn(shelves, overtaken, around);
    await expect(catchUp(sink, log)).rejects.toThrow('the engine was killed');
    await catchUp(sink, log);
    expect(positions(shelves)).toEqual(wantedRows(log));
  });

  it('takes a mark that could not be written for no loss', async () => {
    const log = await logOf(20);
    const shelves = new FactShelves(source);
    const engine = failing(/^progress \d/);
    const sink = sinkOn(shelves, log, engine.around);
    const running = sink.run(new AbortController().signal);
    // Beyond the plans of its own, of which no mark tells yet.
    for (let look = 0; look < 2; look += 1) await sink.reaches(await log.head(), new AbortController().signal);
    engine.isOn = true;
    await happensOnce(log);
    await expect(running).rejects.toThrow('the engine is away');
    engine.isOn = false;
    await catchUp(sink, log);
    expect(positions(shelves)).toEqual(wantedRows(log));
  });

  it('tells of a mark that could not be written while nothing happened: the engine may have lost more than that', async () => {
    const log = await logOf(20);
    const engine = failing(/^progress \d/);
    const sink = sinkOn(new FactShelves(source), log, engine.around);
    const running = sink.run(new AbortController().signal);
    await sink.reaches(await log.head(), new AbortController().signal);
    engine.isOn = true;
    await log.append('clock-1', [{ ...(log.events[0] as LogEvent), id: randomUUID() }], 'any');
    await engine.failed;
    engine.isOn = false;
    await happensOnce(log);
    await expect(running).rejects.toThrow('the engine is away');
  });

  it('a repair that was interrupted counts nothing twice, and the mark tells when it is done', async () => {
    const log = await logOf(60);
    const shelves = new FactShelves(source);
    const engine = failing(/^delete/);
    let isDoubled = false;
    const watched: Around = async (step, what) => {
      const answer = await engine.around(step, what);
      const ids = shelves.shelf(build).rows.map(({ line }) => line);
      isDoubled ||= new Set(ids).size < ids.length;
      return answer;
    };
    const sink = sinkOn(shelves, log, watched);
    await catchUp(sink, log);
    lose(shelves, shelves.shelf(build).rows.at(0)?.chunk);
    engine.isOn = true;
    await expect(catchUp(sink, log)).rejects.toThrow('the engine is away');
    engine.isOn = false;
    await catchUp(sink, log);
    expect(isDoubled).toBe(false);
    expect(positions(shelves)).toEqual(wantedRows(log));
    const last = await lastPlan(log as never, planStream('facts', build));
    expect([last?.attempt, shelves.shelf(build).progress?.planRevision]).toEqual([3, last?.revision]);
  });

  it('of two owners that plan the same repair one carries it out', async () => {
    const log = new MemoryLog();
    const stream = planStream('facts', build);
    const chunk = { id: 1n, after: 0n, to: 3n, events: 1, rows: 1, xor: '', months: [202601], parked: [] };
    const plan = await appendPlan(log as never, stream, undefined, chunk);
    const same = await appendPlan(log as never, stream, undefined, chunk);
    expect(same).toEqual(plan);
    expect(await appendPlan(log as never, stream, plan, chunk, 2)).toMatchObject({ attempt: 2 });
    expect(await appendPlan(log as never, stream, plan, chunk, 2)).toBeUndefined();
  });
});
