// A Redis that nobody answers for is no fault of the question: whoever asks is told to come again.
import { createServer } from 'node:net';
import { expect, it } from '@jest/globals';
import { translateFault } from '../../src/app.module.js';
import { isRedisAway } from '../../src/stores/redis/away.js';
import { clientFor } from '../../src/stores/redis/redis-endpoint.js';

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

it.each([
  ['waits for a connection that never comes', {}],
  ['does not wait', { enableOfflineQueue: false, maxRetriesPerRequest: 0 }],
])('a client that %s says that Redis is away', async (_, overrides) => {
  const client = clientFor({ host: '127.0.0.1', port: await closedPort() }, overrides);
  client.on('error', () => undefined);
  const failure: unknown = await client.get('inbox').catch((error: unknown) => error);
  client.disconnect();
  expect(isRedisAway(failure)).toBe(true);
  expect(translateFault(failure)?.code).toBe('store-unavailable');
});

it('a question that Redis refuses is a fault, and so is anything else', () => {
  const wrong = new Error('WRONGTYPE Operation against a key holding the wrong kind of value');
  for (const fault of [wrong, new TypeError('x is not a function'), undefined]) {
    expect(translateFault(fault)).toBeUndefined();
  }
});
