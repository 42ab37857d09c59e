// Stopped in the middle of writing, politely or by kill -9: what was acknowledged is there, once, and whoever sends
// again what was not acknowledged doubles nothing.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeHidden } from '../../src/event-log/codec.js';
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import type { RecordedEvent } from '../../src/kernel/message.js';
import { eventually } from '../stores/eventually.js';
import { type Answer, send } from './running-service.js';
import { keyOf, type ServiceChild, startChild } from './service-child.js';

const writers = 16;
let directory: string;
let key: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'homing-stopped-'));
  const child = await startChild({ HOMING_DATA_DIR: directory });
  key = keyOf(child, 'app');
  for (const memberId of ['anna', 'bert']) {
    const body = { memberId, handle: memberId, displayName: memberId, ageBand: '18_plus', country: 'AT' };
    await send(child.url, 'POST', '/v1/members', { key, body });
  }
  await send(child.url, 'POST', '/v1/friend-requests', { key, member: 'anna', body: { toMemberId: 'bert' } });
  await send(child.url, 'POST', '/v1/friend-requests/anna/accept', { key, member: 'bert' });
  child.process.kill('SIGTERM');
  expect(await child.ended).toBe(0);
}, 60_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Request {
  readonly path: string;
  readonly body: unknown;
  readonly idempotencyKey: string;
}

function message(conversationId: string, name: string): Request {
  const path = `/v1/conversations/${conversationId}/messages`;
  return { path, body: { body: `text ${name}` }, idempotencyKey: name };
}
function observation(name: string): Request {
  const contentRef = { kind: 'video', contentId: 'clip', creatorId: 'bert' };
  const data = { viewId: name, memberId: 'anna', contentRef, surface: 'feed', dwellMs: 1_000 };
  const item = {
    specversion: '1.0',
    id: name,
    source: 's',
    type: 'ContentViewed',
    time: new Date().toISOString(),
    data,
  };
  return { path: '/v1/events', body: [item], idempotencyKey: name };
}

/** Everything in the log, read after the service has ended. */
async function recorded(): Promise<RecordedEvent[]> {
  const log = await EmbeddedEventLog.open(join(directory, 'log'));
  const events: RecordedEvent[] = [];
  for await (const page of log.readAll()) events.push(...page.map(decodeHidden));
  await log.close();
  return events;
}

/** Writes until the child is gone; gives back what was acknowledged, and what was sent without an answer. */
async function writeUntilGone(child: ServiceChild, round: string) {
  const start = { key, member: 'anna', body: { kind: 'direct', memberId: 'bert' } };
  const conversationId = String((await send(child.url, 'POST', '/v1/conversations', start)).body['conversationId']);
  // They are strangers: only what was accepted takes more than a few messages.
  await send(child.url, 'POST', `/v1/conversations/${conversationId}/accept`, { key, member: 'bert' });
  const acknowledged = new Map<Request, Answer>();
  const unanswered: Request[] = [];
  let gone = false;
  void child.ended.then(() => {
    gone = true;
  });
  const write = async (writer: number) => {
    for (let n = 0; !gone; n += 1) {
      const name = `${round}-${writer}-${n}`;
      const request = writer % 4 === 0 ? observation(name) : message(conversationId, name);
      const { path, body, idempotencyKey } = request;
      const answer = await send(child.url, 'POST', path, { key, member: 'anna', body, idempotencyKey }).catch(
        () => undefined,
      );
      if (answer && answer.status < 300) acknowledged.set(request, answer);
      else unanswered.push(request);
    }
  };
  const writing = Array.from({ length: writers }, (_, writer) => write(writer));
  return { acknowledged, unanswered, allDone: Promise.all(writing) };
}

/** Sends all of them again, some at a time; gives back the answers in order. */
async function repeat(child: ServiceChild, requests: readonly Request[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let from = 0; from < requests.length; from += writers) {
    const some = requests
      .slice(from, from + writers)
      .map(({ path, body, idempotencyKey }) =>
        send(child.url, 'POST', path, { key, member: 'anna', body, idempotencyKey }),
      );
    answers.push(...(await Promise.all(some)));
  }
  return answers;
}

describe('a service stopped while it writes', () => {
  let child: ServiceChild;
  const sent: Request[] = [];
  beforeAll(async () => {
    child = await startChild({ HOMING_DATA_DIR: directory });
  }, 60_000);

  it.each([
    ['SIGTERM', 0],
    ['SIGKILL', 'SIGKILL'],
    ['SIGKILL', 'SIGKILL'],
  ] as const)(
    'by %s has lost and doubled nothing',
    async (signal, code) => {
      const written = await writeUntilGone(child, `${signal}-${child.process.pid}`);
      // Enough acknowledged to be in the middle of it, whatever the speed of the machine.
      await eventually(() => written.acknowledged.size >= 150, 60_000);
      child.process.kill(signal);
      expect(await child.ended).toBe(code);
      await written.allDone;
      child = await startChild({ HOMING_DATA_DIR: directory });
      for (const { status } of await repeat(child, written.unanswered)) expect(status).toBeLessThan(300);
      const acknowledged = [...written.acknowledged.keys()];
      for (const [index, { body }] of (await repeat(child, acknowledged)).entries()) {
        const first = written.acknowledged.get(acknowledged[index] as Request)?.body;
        expect(body).toMatchObject('seq' in (first ?? {}) ? { seq: first?.['seq'] } : { accepted: 0, duplicates: 1 });
      }
      sent.push(...acknowledged, ...written.unanswered);
    },
    120_000,
  );

  it('has each of them in its log exactly once', async () => {
    child.process.kill('SIGTERM');
    expect(await child.ended).toBe(0);
    const events = await recorded();
    const messages = events.filter(({ type }) => type === 'MessageSent').map(({ metadata }) => metadata.commandId);
    const observed = events.flatMap(({ metadata }) => metadata.clientEventId ?? []);
    const wanted = (isObservation: boolean) => sent.filter(({ path }) => (path === '/v1/events') === isObservation);
    expect(new Set(messages).size).toBe(messages.length);
    expect(messages).toHaveLength(wanted(false).length);
    expect(observed.toSorted()).toEqual(
      wanted(true)
        .map(({ idempotencyKey }) => idempotencyKey)
        .toSorted(),
    );
  });
});
