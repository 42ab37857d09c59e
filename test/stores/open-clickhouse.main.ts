// A process that opens the embedded ClickHouse, says so, and then waits to be ended in whatever way a test likes.
import { openClickHouse } from '../../src/stores/clickhouse/open-clickhouse.js';

const store = await openClickHouse({ url: undefined, directory: process.argv[2] ?? '' });
await store.client.command({ query: 'CREATE TABLE IF NOT EXISTS kept (n UInt64) ENGINE = MergeTree ORDER BY n' });
await store.client.insert({ table: 'kept', values: [{ n: process.pid }], format: 'JSONEachRow' });
if (process.argv[3] === 'busy') {
  store.client
    .command({ query: 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1' })
    .catch(() => {});
  for (let running = 0; running < 2; ) {
    const answer = await store.client.query({
      query: 'SELECT count() AS n FROM system.processes',
      format: 'JSONEachRow',
    });
    running = Number((await answer.json<{ n: number }>())[0]?.n);
  }
}
process.send?.({ enginePid: store.pid() });
setInterval(() => {}, 1_000);
