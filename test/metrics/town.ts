// A generated history in two forms: facts for the reference evaluation, and tables of the embedded engine for the queries.

import { eventFacts } from '../../projections/event-facts.rows.js';
import { decodeHidden } from '../../src/event-log/codec.js';
import type { RecordedEvent } from '../../src/kernel/message.js';
import type { Row } from '../../src/kernel/projection.js';
import { FactsReader } from '../../src/metrics/facts-reader.js';
import { ChunkBuilder } from '../../src/projector/clickhouse/chunk/chunk.js';
import { planOf } from '../../src/projector/clickhouse/chunk/plan-log.js';
import { Engine } from '../../src/projector/clickhouse/engine.js';
import { FactTables } from '../../src/projector/clickhouse/tables/fact-tables.js';
import { factSource } from '../../src/service/fact-source.js';
import { type HistoryEvent, newEvent } from '../projections/history.js';
import type { TestEngine } from '../projector/clickhouse/engine.js';

export const source = factSource;

export function recorded(events: readonly HistoryEvent[]): readonly RecordedEvent[] {
  return events.map((event, index) =>
    decodeHidden({
      ...newEvent(event, index),
      stream: event.stream,
      revision: index,
      position: BigInt(index + 1),
      recordedAt: 0,
    }),
  );
}

export function factsOf(events: readonly RecordedEvent[]): readonly Row[] {
  return events.flatMap((event) => eventFacts.on[event.type]?.(event) ?? []);
}

/** Fills the tables of a build and gives a reader of them. */
export async function load(
  engine: TestEngine,
  build: number,
  events: readonly RecordedEvent[],
  timeZone: string,
): Promise<FactsReader> {
  const tables = new FactTables(new Engine(engine.client), source, { sink: 'facts', build, timeZone });
  await tables.create();
  // Two chunks, so that what belongs together is merged from two places.
  for (const half of [events.slice(0, events.length / 2), events.slice(events.length / 2)]) {
    const builder = new ChunkBuilder(source, 0n);
    for (const event of half) builder.add(event);
    const chunk = builder.build();
    if (chunk) await tables.insert({ ...planOf(chunk), revision: 0, attempt: 1 }, chunk);
  }
  return new FactsReader({
    client: engine.client,
    sink: 'facts',
    logId: 'log',
    now: () => 0,
    head: async () => 0n,
    queryMsMax: 30_000,
    queryBytesMax: 1_000_000_000,
  });
}
