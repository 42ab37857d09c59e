// Every read model from a log of many events, from zero: documents and facts at the same time, against the slower of the
// two alone.
import { join } from 'node:path';
import { readConfig } from '../../src/config.js';
import type { EventCodec } from '../../src/event-log/codec.js';
import { makeLogger } from '../../src/http/operation/log.js';
import { DocumentProjector } from '../../src/projector/builds/document-projector.js';
import { FactsProjector } from '../../src/projector/clickhouse/facts-projector.js';
import { type Engines, Opened, openEngines } from '../../src/service/engines.js';
import { factsOperations, factsProjectorOptions } from '../../src/service/facts.js';
import { documentProjectorOptions } from '../../src/service/projections.js';
import { Progress } from '../../src/stores/documents/progress.js';
import { DocumentReader } from '../../src/stores/documents/reader.js';
import { documentProjections } from '../usual-settings.js';
import { clock, codecOf, copies, fillLog, type PlainEvent } from './demo-events.js';
import { type BenchOptions, race } from './suite.js';

const rounds = 5;
const silent = { fault: () => undefined, told: () => undefined };
const waitMsMax = 3_600_000;
/** Each look is a query that the engine answers instead of inserting. */
const lookEveryMs = 1_000;

type Which = 'documents' | 'facts' | 'both';

export async function benchRebuild(
  directory: string,
  events: readonly PlainEvent[],
  options: BenchOptions,
): Promise<void> {
  const count = options.quick ? 30_000 : 1_000_000;
  const config = readConfig({ HOMING_DATA_DIR: join(directory, 'rebuild') });
  const opened = new Opened();
  const engines = await openEngines(config, makeLogger('silent'), opened);
  const codec = codecOf(engines.log, config.masterKey);
  options.note(`filling a log with ${count} events`);
  await fillLog(engines.log, codec, copies(events, count));
  const rebuild = async (which: Which): Promise<number> => {
    await engines.redis.client.flushall();
    return count / (await timed(which, { ...engines }, codec, config));
  };
  const contenders = (['both', 'documents', 'facts'] as const).map((which) => ({
    subject: which === 'both' ? 'documents and facts at once' : `${which} alone`,
    measure: () => rebuild(which),
  }));
  await race(
    { lane: 'rebuild of everything', unit: 'events/s', contenders, rounds: options.quick ? 1 : rounds, cold: true },
    options,
  );
  await opened.close(() => undefined);
}

async function timed(
  which: Which,
  engines: Engines,
  codec: EventCodec,
  config: ReturnType<typeof readConfig>,
): Promise<number> {
  const head = await engines.log.head();
  const began = performance.now();
  const closing: (() => Promise<void>)[] = [];
  if (which !== 'facts') {
    const documents = new DocumentProjector(documentProjectorOptions(config, engines, { codec }));
    documents.start();
    closing.push(() => documents.close());
  }
  if (which !== 'documents') {
    const facts = new FactsProjector({ ...factsProjectorOptions(config, engines, { clock }), listener: silent });
    await factsOperations(config, engines).rebuild();
    facts.start();
    closing.push(() => facts.close());
    const operations = factsOperations(config, engines);
    while (!(await isCaughtUp(operations, head))) await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
  if (which !== 'facts') {
    const names = documentProjections.map(({ name }) => ({ projection: name, shard: 0, shards: 1 }));
    const progress = new Progress(new DocumentReader(engines.redis.client, 1));
    if (!(await progress.waitFor(names, head, waitMsMax))) throw new Error('the documents did not come to the head');
  }
  const seconds = (performance.now() - began) / 1_000;
  for (const close of closing) await close();
  return seconds;
}

/** The newest build is read, and holds everything up to the head. */
async function isCaughtUp(operations: ReturnType<typeof factsOperations>, head: bigint): Promise<boolean> {
  const builds = await operations.status();
  return builds.length > 0 && builds.every(({ state, position }) => state === 'active' && BigInt(position) >= head);
}
