// Emmett on PostgreSQL, installed for the benchmark alone into a temporary directory: never a dependency of the product.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { seen, type TypedEvent, type TypedKind } from './log-typed.js';
import type { Postgres } from './postgres.js';

const packages = [
  '@event-driven-io/emmett@0.42.0',
  '@event-driven-io/emmett-postgresql@0.42.0',
  '@event-driven-io/pongo@0.16.11',
];
const connections = 32;
const readBatch = 1_000;

/** The parts of the packages that are used here. */
interface EmmettModule {
  getPostgreSQLEventStore(connectionString: string, options: object): EmmettStore;
  readMessagesBatch(execute: unknown, options: { after: bigint; batchSize: number }): Promise<MessagesBatch>;
}
interface EmmettStore {
  appendToStream(stream: string, events: readonly TypedEvent[], options: object): Promise<unknown>;
  close(): Promise<void>;
}
interface MessagesBatch {
  readonly messages: readonly TypedEvent[];
  readonly currentGlobalPosition: bigint;
}
interface DumboModule {
  dumbo(options: object): { execute: unknown; close(): Promise<void> };
}
interface PgModule {
  default: {
    Pool: new (
      options: object,
    ) => { end(): Promise<void>; query(sql: string): Promise<unknown>; on(event: 'error', handle: () => void): void };
  };
}

export interface EmmettModules {
  readonly emmett: EmmettModule;
  readonly dumbo: DumboModule;
  readonly pg: PgModule;
}

/** Undefined when the packages cannot be had. */
export async function installEmmett(directory: string): Promise<EmmettModules | undefined> {
  writeFileSync(join(directory, 'package.json'), '{"name":"bench-peer","private":true,"type":"module"}');
  try {
    const flags = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
    execFileSync('npm', [...flags, ...packages], { cwd: directory, stdio: 'ignore' });
  } catch {
    return undefined;
  }
  const require = createRequire(join(directory, 'package.json'));
  const load = async (name: string): Promise<unknown> => import(pathToFileURL(require.resolve(name)).href);
  return {
    emmett: (await load('@event-driven-io/emmett-postgresql')) as EmmettModule,
    dumbo: (await load('@event-driven-io/dumbo')) as DumboModule,
    pg: (await load('pg')) as PgModule,
  };
}

export function emmettOn(postgres: Postgres, { emmett, dumbo, pg }: EmmettModules): TypedKind {
  let databases = 0;
  const readBack = async (execute: unknown): Promise<number> => {
    let count = 0;
    let after = 0n;
    for (;;) {
      const batch = await emmett.readMessagesBatch(execute, { after, batchSize: readBatch });
      for (const { data, metadata } of batch.messages) seen.bytes += data.body.length + metadata.source.length;
      count += batch.messages.length;
      after = batch.currentGlobalPosition;
      if (batch.messages.length < readBatch) return count;
    }
  };
  return {
    name: 'emmett-postgresql 0.42.0',
    open: async () => {
      const name = `bench_${databases++}`;
      const connectionString = postgres.database(name);
      const pool = new pg.default.Pool({ connectionString, max: connections });
      // Its last connections may outlive the database that is dropped.
      pool.on('error', () => {});
      const store = emmett.getPostgreSQLEventStore(connectionString, { connectionOptions: { pool } });
      // The first append makes the schema; that is not measured.
      const options = { expectedStreamVersion: 'STREAM_DOES_NOT_EXIST' };
      await store.appendToStream('first-0', [{ type: 'First', data: { body: '' }, metadata: { source: '' } }], options);
      const reader = dumbo.dumbo({ connectionString, pool });
      return {
        append: async (stream, events, last) => {
          const expectedStreamVersion = last < 0 ? 'STREAM_DOES_NOT_EXIST' : BigInt(last + 1);
          await store.appendToStream(stream, events, { expectedStreamVersion });
        },
        // What its consumers are built on, too.
        scan: () => readBack(reader.execute),
        follow: () => readBack(reader.execute),
        settle: async () => {
          await pool.query('VACUUM ANALYZE');
        },
        close: async () => {
          await store.close();
          await pool.end();
          postgres.drop(name);
        },
      };
    },
  };
}
