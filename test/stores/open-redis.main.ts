// A process that opens the embedded Redis, says so, and then waits to be ended in whatever way a test likes.
import { openRedis } from '../../src/stores/redis/open-redis.js';

const store = await openRedis({
  url: undefined,
  directory: process.argv[2] ?? '',
  graceSeconds: Number(process.argv[3]),
});
await store.client.set('written-by', String(process.pid));
process.send?.({ redisPid: store.pid(), url: store.url, adopted: store.adopted });
process.on('message', () => void store.close().then(() => process.exit(0)));
setInterval(() => {}, 1_000);
