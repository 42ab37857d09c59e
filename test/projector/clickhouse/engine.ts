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

export function testEngine(): TestEngine {
  const directory = mkdtempSync(join(tmpdir(), 'homing-facts-'));
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
