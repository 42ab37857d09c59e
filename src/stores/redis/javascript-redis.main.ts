// The child process of the JavaScript Redis: its Lua and its commands must not hold up the service's event loop.
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { createRedisMock } from 'js-redis-server';

// Answers to a pipeline go out in several small writes: each would wait for the client's word on the one before, some 40 ms.
subscribe('net.server.socket', (message) => (message as { readonly socket: Socket }).socket.setNoDelay(true));

const port = Number(process.argv[2] ?? 0);
const redis = await createRedisMock({ port, compatibility: 'redis-7.0' });
process.on('disconnect', () => process.exit(0));
process.send?.({ port: redis.port });
