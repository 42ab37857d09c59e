// A Redis that nobody answers for is no fault of the question: whoever asks is told to come again.
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { translateFault } from '../../src/app.module.js';
import { isRedisAway } from '../../src/stores/redis/away.js';
import {
  answeredWithin,
  type ConnectionOverrides,
  clientFor,
  impatient,
} from '../../src/stores/redis/redis-endpoint.js';

let server: Server | undefined;
const sockets = new Set<Socket>();
const clients: Redis[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  if (server?.listening) await new Promise((resolve) => server?.close(resolve));
});

/** Takes connections; `answer` is what it says to each piece that it gets, nothing where it is silent. */
async function listening(answer: (text: string) => string | undefined): Promise<number> {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      const reply = answer(bytes.toString());
      if (reply !== undefined) socket.write(reply);
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server?.once('listening', resolve));
  return (server.address() as { port: number }).port;
}

async function closedPort(): Promise<number> {
  const port = await listening(() => undefined);
  await new Promise((resolve) => server?.close(resolve));
  return port;
}

function clientOf(port: number, overrides: ConnectionOverrides = {}): Redis {
  const client = clientFor({ host: '127.0.0.1', port }, overrides) as Redis;
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}

it.each([
  ['waits for a connection that never comes', {}],
  ['does not wait', { enableOfflineQueue: false, maxRetriesPerRequest: 0 }],
  ['waits only so long', answeredWithin(1_000)],
])('a client that %s says that Redis is away', async (_, overrides) => {
  const client = clientOf(await closedPort(), overrides);
  const failure: unknown = await client.get('inbox').catch((error: unknown) => error);
  expect(isRedisAway(failure)).toBe(true);
  expect(translateFault(failure)?.code).toBe('store-unavailable');
});

describe('a server that keeps the connection open and says nothing', () => {
  const atOnce = 50;
  /** What the client still holds of what it was asked. */
  const held = (client: Redis): number => {
    const { commandQueue, offlineQueue } = client as unknown as Record<string, { readonly length: number }>;
    return (commandQueue?.length ?? 0) + (offlineQueue?.length ?? 0);
  };
  const reads = (client: Redis) =>
    Promise.all(Array.from({ length: atOnce }, () => client.pipeline().get('inbox').get('unread').exec()));
  /** Enough of the handshake that the client believes in the connection. */
  const greet = (text: string): string => {
    const commands = text.split(/^\*\d+\r\n/m).slice(1);
    const isInfo = (command: string) => /^\$4\r\ninfo\r\n/i.test(command);
    return commands.map((one) => (isInfo(one) ? '$17\r\nredis_version:7.0\r\n' : '+OK\r\n')).join('');
  };

  it.each([
    ['from the start', () => undefined],
    ['once it has greeted', (text: string) => (/\r\nget\r\n/i.test(text) ? undefined : greet(text))],
  ])('%s: readers are told in time, and what they asked does not pile up', async (_, answer) => {
    const client = clientOf(await listening(answer), answeredWithin(100));
    for (let round = 0; round < 10; round += 1) {
      for (const replies of await reads(client)) {
        for (const [failure] of replies ?? []) {
          expect(isRedisAway(failure)).toBe(true);
          expect(translateFault(failure)?.code).toBe('store-unavailable');
        }
      }
      // This round's, and the last one's where its connection is only now given up; and a handshake.
      expect(held(client)).toBeLessThanOrEqual(2 * 2 * atOnce + 5);
    }
  });

  it('holds up nobody who can do without an answer', async () => {
    const client = clientOf(await listening(() => undefined), impatient);
    await client.connect().catch(() => undefined);
    const failure: unknown = await client.get('rate').catch((error: unknown) => error);
    expect(isRedisAway(failure)).toBe(true);
  });
});

it('a question that Redis refuses is a fault, and so is anything else', () => {
  const wrong = new Error('WRONGTYPE Operation against a key holding the wrong kind of value');
  for (const fault of [wrong, new TypeError('x is not a function'), undefined]) {
    expect(translateFault(fault)).toBeUndefined();
  }
});
