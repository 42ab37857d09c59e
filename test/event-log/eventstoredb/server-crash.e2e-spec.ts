// The server is killed in the middle of appends and started again on the same port: what was written before the answer
// could come is recognised, also where the writer expects nothing and the server has forgotten the ids that it knew.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import type { ExpectedRevision } from '../../../src/event-log/event-log.js';
import { EventStoreDbEventLog } from '../../../src/event-log/eventstoredb/eventstoredb-event-log.js';
import { closedAfterEach } from '../clean-up.js';
import { freePort } from '../free-port.js';
import { temporaryDirectory } from '../temporary-directory.js';
import { allOf, impatient, newEvent } from './new-events.js';

const kills = 6;
const writers = 6;

async function serve(port: number, data: string): Promise<ChildProcess> {
  const args = [
    '--import',
    './test/register.mjs',
    'src/cli/homing.ts',
    'log',
    'serve',
    '--port',
    String(port),
    '--data',
    data,
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', () => resolve());
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
  child.removeAllListeners('exit');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}

const atTheEnd = closedAfterEach();

it('every append is written exactly once, in order, and a subscription has seen each exactly once', async () => {
  const directory = temporaryDirectory();
  atTheEnd(() => directory.remove());
  const port = await freePort();
  let server = await serve(port, directory.path);
  atTheEnd(() => kill(server));
  const log = EventStoreDbEventLog.open(`esdb://127.0.0.1:${port}?tls=false`, impatient);
  atTheEnd(() => log.close());
  const stop = new AbortController();
  atTheEnd(() => stop.abort());
  let killing = true;
  const seen: string[] = [];
  const subscription = (async () => {
    for await (const page of log.subscribeAll({ signal: stop.signal })) {
      if (page.kind === 'events') seen.push(...page.events.map(({ id }) => id));
    }
  })();
  const writing = Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      const ids: string[] = [];
      for (let i = 0; killing; i++) {
        const event = newEvent('Written', { writer, i });
        const expected: ExpectedRevision = writer % 2 === 1 ? 'any' : i === 0 ? 'no_stream' : i - 1;
        const { revision } = await log.append(`writer-${writer}`, [event], expected);
        expect(revision).toBe(i);
        ids.push(event.id);
      }
      return ids;
    }),
  );
  // A failure is told when they are waited for, not while the server is down.
  for (const going of [writing, subscription]) going.catch(() => undefined);
  for (let i = 0; i < kills; i++) {
    await pause(100 + Math.random() * 200);
    await kill(server);
    server = await serve(port, directory.path);
  }
  killing = false;
  const written = await writing;
  for (const [writer, ids] of written.entries()) {
    expect((await allOf(log.readStream(`writer-${writer}`))).map(({ id }) => id)).toEqual(ids);
  }
  const total = written.flat().length;
  while (seen.length < total) await pause(5);
  expect(new Set(seen).size).toBe(seen.length);
  expect((await allOf(log.readAll())).map(({ id }) => id)).toEqual(seen);
  console.info(`server crash: ${kills} kills, ${total} appends`);
  stop.abort();
  await subscription;
});
