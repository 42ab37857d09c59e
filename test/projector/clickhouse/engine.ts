// The embedded engine in the test's own process, on a directory of its own. One engine per process: close it first.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClickHouseClient, type ClickHouseClientConfigOptions, createClient } from '@clickhouse/client';
import { createChdbConnection } from 'chdb/connection';

export interface TestEngine {
  readonly client: ClickHouseClient;
  readonly directory: string;
  close(): Promise<void>;
}

/** On a new directory, or on one that was closed before. */
export function testEngine(directory: string = mkdtempSync(join(tmpdir(), 'homing-facts-'))): TestEngine {
  // chdb types its connection against another copy of the client's types.
  const connection = createChdbConnection({ path: directory }) as unknown as NonNullable<
    ClickHouseClientConfigOptions['connection']
  >;
  const client = createClient({ connection });
  return {
    client,
    directory,
    close: async () => {
      await client.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
