// The process that is killed: log, Redis and ClickHouse with both projectors. It first catches up and verifies what the
// last kill left, tells so, and then writes as fast as it can until it is killed.

import { untilCaughtUp } from '../../src/cli/operations/until-caught-up.js';
import { readConfig } from '../../src/config.js';
import type { NewEvent } from '../../src/event-log/event-log.js';
import { makeLogger } from '../../src/http/operation/log.js';
import { DocumentProjector } from '../../src/projector/builds/document-projector.js';
import { FactsProjector } from '../../src/projector/clickhouse/facts-projector.js';
import { type Engines, Opened, openEngines } from '../../src/service/engines.js';
import { factsProjectorOptions } from '../../src/service/facts.js';
import { localOperations } from '../../src/service/operations/operations.module.js';
import { documentProjectorOptions } from '../../src/service/projections.js';
import { openWriteSide } from '../../src/service/write-side.js';
import { asNewEvent, SocialHistory } from '../projections/social-history.js';
import { documentProjections } from '../usual-settings.js';
import type { Orders, Told } from './projector-orders.js';

const historySteps = 14_000;
const people = 30;
/** Events appended at a time, at most. */
const burstMax = 40;

function tell(told: Told): void {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

/**
 * Events of the history that are in the log already; bookkeeping is not counted. A burst stands there stream by stream, so
 * its last event is not always the one that was written last.
 */
async function writtenSoFar({ log }: Engines, firstIds: ReadonlyMap<string, number>): Promise<number> {
  let [seen, written] = [0, 0];
  for await (const page of log.readAll({ direction: 'backwards' })) {
    for (const { id } of page) {
      const index = firstIds.get(id);
      if (index === undefined) continue;
      written = Math.max(written, index + 1);
      seen += 1;
      if (seen === burstMax) return written;
    }
  }
  return written;
}

async function work({ directory, seed }: Orders): Promise<void> {
  const config = readConfig({ HOMING_DATA_DIR: directory, HOMING_CLICKHOUSE_CHUNK_MS: '100' });
  const logger = makeLogger('silent');
  const opened = new Opened();
  process.once('SIGTERM', () => void opened.close(() => undefined).finally(() => process.exit(0)));
  const engines = await openEngines(config, logger, opened);
  const writeSide = await openWriteSide(config, engines, logger, opened);
  const listener = { fault: () => undefined, told: () => undefined };
  tell({ kind: 'open', redis: engines.redis.pid() ?? 0, clickhouse: engines.clickhouse?.pid() ?? 0 });

  const { events } = new SocialHistory(seed, people, historySteps);
  const made = events.map((event, index) => asNewEvent(event, index));
  const written = await writtenSoFar(engines, new Map(made.map(({ id }, index) => [id, index])));
  const documents = new DocumentProjector({ ...documentProjectorOptions(config, engines, writeSide), listener });
  documents.start();
  opened.add('documents', () => documents.close());
  const facts = new FactsProjector({ ...factsProjectorOptions(config, engines, writeSide), listener });
  facts.start();
  opened.add('facts', () => facts.close());
  const operations = localOperations(config, engines, writeSide);
  await untilCaughtUp(operations, [...documentProjections.map(({ name }) => name), 'facts']);
  let [compared, differences] = [0, 0];
  const wrong: string[] = [];
  for (const part of await operations.parts()) {
    for (const report of await operations.verify(part)) {
      compared += report.compared;
      differences += report.differences + report.parked.length;
      if (report.differences + report.parked.length > 0) wrong.push(JSON.stringify(report).slice(0, 3_000));
    }
  }
  tell({ kind: 'verified', written, compared, differences, wrong });

  for (let next = written; next < events.length; ) {
    const burst = 1 + Math.floor(Math.random() * burstMax);
    const end = Math.min(events.length, next + burst);
    const byStream = new Map<string, NewEvent[]>();
    for (let at = next; at < end; at += 1) {
      const stream = events[at]?.stream ?? '';
      byStream.set(stream, [...(byStream.get(stream) ?? []), made[at] as NewEvent]);
    }
    // One commit: after a kill the log holds a beginning of the history.
    await engines.log.appendMany([...byStream].map(([stream, all]) => ({ stream, events: all, expected: 'any' })));
    next = end;
    tell({ kind: 'acknowledged', events: next });
  }
  tell({ kind: 'exhausted' });
}

process.stdin.once('data', (bytes: Buffer) => {
  work(JSON.parse(bytes.toString()) as Orders).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  });
});
