// The child process of the JavaScript Redis: its Lua and its commands must not hold up the service's event loop.
import { createRedisMock } from 'js-redis-server';

const port = Number(process.argv[2] ?? 0);
const redis = await createRedisMock({ port, compatibility: 'redis-7.0' });
process.on('disconnect', () => process.exit(0));
process.send?.({ port: redis.port });
