// A server that breaks the protocol's promises costs the adapter a retry or an error, never the process and never
// another log's appends. The same server ends a process that uses the official client's own append: it does bite.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  EventLogError,
  LogUnavailable,
  StreamDeleted,
  type SubscriptionPage,
  WrongExpectedRevision,
} from '../../../src/event-log/event-log.js';
import { EventStoreDbEventLog } from '../../../src/event-log/eventstoredb/eventstoredb-event-log.js';
import { serveLog } from '../protocol/serve-log.js';
import {
  type BatchCall,
  confirmation,
  failure,
  type HostileServer,
  type Misbehaviour,
  namelessError,
  recordedEvent,
  startHostileServer,
  success,
} from './hostile-server.js';
import { allOf, impatient, newEvent } from './new-events.js';

const open: { close(): void | Promise<void> }[] = [];
afterEach(async () => {
  for (const opened of open.splice(0).toReversed()) await opened.close();
});

async function against(misbehaviour: Misbehaviour, settings = {}): Promise<EventStoreDbEventLog> {
  const server = await hostile(misbehaviour);
  return adapter(server.url, settings);
}

async function hostile(misbehaviour: Misbehaviour): Promise<HostileServer> {
  const server = await startHostileServer(misbehaviour);
  open.push(server);
  return server;
}

function adapter(url: string, settings = {}): EventStoreDbEventLog {
  const log = EventStoreDbEventLog.open(url, {
    ...impatient,
    attemptTimeoutMs: 300,
    giveUpAfterMs: 900,
    ...settings,
  });
  open.push(log);
  return log;
}

const twice: Misbehaviour['onChunk'] = (call, chunk) => {
  call.write(success(chunk));
  call.write(success(chunk));
};
const nameless: Misbehaviour['onChunk'] = (call, chunk) =>
  call.write(namelessError(chunk, 'event_store.client.StreamDeleted'));

describe('appends', () => {
  it('answered twice, or for an id that nobody asked for', async () => {
    const log = await against({
      onChunk: (call, chunk) => {
        const stranger = success(chunk);
        const id = new shared.UUID();
        id.setString(randomUUID());
        stranger.setCorrelationId(id);
        call.write(stranger);
        twice(call, chunk);
      },
    });
    for (let i = 0; i < 20; i++)
      expect(await log.append('s', [newEvent()], 'any')).toEqual({ revision: 0, position: 100n });
  });

  it('refused without the name of the stream, by a known reason or an unknown one', async () => {
    const log = await against({ onChunk: nameless });
    await expect(log.append('s', [newEvent()], 'any')).rejects.toEqual(new StreamDeleted('s'));
    const odd = await against({ onChunk: (call, chunk) => call.write(namelessError(chunk, 'nobody.knows.This')) });
    await expect(odd.append('s', [newEvent()], 'no_stream')).rejects.toBeInstanceOf(LogUnavailable);
    const broken = await against({
      onChunk: (call, chunk) =>
        call.write(namelessError(chunk, 'event_store.client.WrongExpectedVersion', Uint8Array.from([0x0a, 0xff]))),
    });
    await expect(broken.append('s', [newEvent()], 'no_stream')).rejects.toBeInstanceOf(EventLogError);
  });

  it.each<[string, Misbehaviour['onChunk']]>([
    ['never answered', () => undefined],
    ['answered with a half-closed stream', (call) => call.end()],
    ['answered with a failed stream', (call) => call.emit('error', failure(status.INTERNAL))],
  ])('%s: tried again until it is given up', async (_, onChunk) => {
    let tries = 0;
    const log = await against({
      onChunk: (call, chunk) => {
        tries += 1;
        onChunk?.(call, chunk);
      },
    });
    await expect(log.append('s', [newEvent()], 'no_stream')).rejects.toMatchObject({ retryable: true });
    expect(tries).toBeGreaterThan(1);
  });

  it.each<[string, Misbehaviour['onChunk']]>([
    ['unanswered', () => undefined],
    ['cut off', (call) => call.end()],
    ['refused as too busy', (call, chunk) => call.write(namelessError(chunk, 'google.protobuf.Empty'))],
  ])('%s at first: written by the same event ids later', async (_, first) => {
    const ids: string[] = [];
    const log = await against({
      onChunk: (call, chunk) => {
        ids.push(...chunk.getProposedMessagesList().map((message) => message.getId()?.getString() ?? ''));
        if (ids.length < 3) first?.(call, chunk);
        else call.write(success(chunk));
      },
    });
    const event = newEvent();
    expect(await log.append('s', [event], 'no_stream')).toEqual({ revision: 0, position: 100n });
    expect(ids).toEqual([event.id, event.id, event.id]);
  });

  it('one that gets no answer does not hold up the others', async () => {
    let lost = '';
    const log = await against({
      onChunk: (call, chunk) => {
        lost ||= chunk.getProposedMessagesList()[0]?.getId()?.getString() ?? '';
        if (chunk.getProposedMessagesList()[0]?.getId()?.getString() !== lost) call.write(success(chunk));
      },
    });
    const unanswered = log.append('s', [newEvent()], 'no_stream');
    // It may fail before the others are done; that is told when it is waited for.
    unanswered.catch(() => undefined);
    const answered: Promise<unknown>[] = [];
    for (let i = 0; i < 30; i++) {
      answered.push(log.append('s', [newEvent()], 'no_stream'));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await Promise.all(answered);
    await expect(unanswered).rejects.toBeInstanceOf(LogUnavailable);
  });

  it('of another log in the same process are not touched', async () => {
    const served = await serveLog();
    open.push(served);
    const good = adapter(served.url);
    const bad = await against({ onChunk: (call) => call.emit('error', failure(status.UNAVAILABLE)) });
    const failing = bad.append('s', [newEvent()], 'no_stream');
    failing.catch(() => undefined);
    for (let i = 0; i < 50; i++) await good.append('s', [newEvent()], i === 0 ? 'no_stream' : i - 1);
    await expect(failing).rejects.toBeInstanceOf(LogUnavailable);
  });
});

describe('reads and subscriptions', () => {
  it('of events without an id or a stream fail, typed', async () => {
    for (const fields of [{ id: false }, { stream: false }]) {
      const log = await against({ onRead: (call) => call.write(recordedEvent(0, fields)) });
      await expect(allOf(log.readStream('s'))).rejects.toBeInstanceOf(EventLogError);
    }
  });

  it('that never bring anything are given up', async () => {
    const log = await against({ onRead: () => undefined });
    await expect(allOf(log.readStream('s'))).rejects.toBeInstanceOf(LogUnavailable);
  });

  it('come back from every ending and never give an event twice or out of order', async () => {
    let calls = 0;
    const log = await against({
      onRead: (call) => {
        if (!call.request.getOptions()?.hasSubscription()) {
          call.end();
          return;
        }
        calls += 1;
        const after = call.request.getOptions()?.getStream();
        const next = after?.hasRevision() ? Number(after.getRevision()) + 1 : 0;
        call.write(confirmation());
        // What was there before, once more; then one that is new; then that one again.
        for (const revision of [next - 2, next - 1, next, next]) if (revision >= 0) call.write(recordedEvent(revision));
        if (calls % 3 === 0) call.emit('error', failure(status.UNAVAILABLE));
        else if (calls % 3 === 1) call.emit('error', failure(status.CANCELLED));
        else call.end();
      },
    });
    const stop = new AbortController();
    const seen: number[] = [];
    for await (const page of log.subscribeStream('s', { signal: stop.signal })) {
      if (page.kind === 'events') seen.push(...page.events.map(({ revision }) => revision));
      if (seen.length >= 12) stop.abort();
    }
    expect(seen).toEqual(seen.map((_, i) => i));
    expect(calls).toBeGreaterThanOrEqual(12);
  });

  it('that have stalled are noticed: the server has more, and says nothing', async () => {
    let subscriptions = 0;
    const log = await against(
      {
        onRead: (call) => {
          const options = call.request.getOptions();
          if (!options?.hasSubscription()) {
            call.write(recordedEvent(5));
            call.end();
            return;
          }
          subscriptions += 1;
          const after = Number(options.getStream()?.getRevision() ?? '0');
          call.write(confirmation());
          if (subscriptions === 1) call.write(recordedEvent(3));
          else for (const revision of [4, 5]) if (revision > after) call.write(recordedEvent(revision));
        },
      },
      { idleCheckMs: 100 },
    );
    const stop = new AbortController();
    const seen: number[] = [];
    for await (const page of log.subscribeStream('s', { signal: stop.signal })) {
      if (page.kind === 'events') seen.push(...page.events.map(({ revision }) => revision));
      if (seen.includes(5)) stop.abort();
    }
    expect(seen).toEqual([3, 4, 5]);
    expect(subscriptions).toBe(2);
  });

  it('of a stream that is deleted for ever end with that', async () => {
    const log = await against({
      onRead: (call) => {
        if (!call.request.getOptions()?.hasSubscription()) {
          call.end();
          return;
        }
        call.write(confirmation());
        call.emit('error', failure(status.FAILED_PRECONDITION, { exception: 'stream-deleted', 'stream-name': 's' }));
      },
    });
    const signal = new AbortController().signal;
    await expect(log.subscribeStream('s', { signal }).next()).rejects.toEqual(new StreamDeleted('s'));
  });
});

describe('exceptions', () => {
  it.each([
    ['wrong-expected-version', 'wrong-expected-revision'],
    ['stream-deleted', 'stream-deleted'],
    ['maximum-append-size-exceeded', 'append-too-large'],
    ...[
      'stream-not-found',
      'no-stream',
      'access-denied',
      'invalid-transaction',
      'scavenge-not-found',
      'missing-required-metadata-property',
      'persistent-subscription-failed',
      'persistent-subscription-does-not-exist',
      'persistent-subscription-exists',
      'persistent-subscription-dropped',
      'maximum-subscribers-reached',
      'user-not-found',
      'user-conflict',
      'maximum-append-event-size-exceeded',
      'index-not-found',
      'one-that-nobody-knows-yet',
    ].map((name) => [name, name]),
  ])('%s, its fields left out, is the error %s', async (exception, code) => {
    const log = await against({ onTombstone: (_, answer) => answer(failure(status.UNKNOWN, { exception })) });
    const error = await log.tombstoneStream('s', 3).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(EventLogError);
    expect(error).toMatchObject({ code });
  });

  it('a wrong expected version brings the actual one', async () => {
    const trailers = { exception: 'wrong-expected-version', 'expected-version': '3', 'actual-version': '7' };
    const log = await against({ onTombstone: (_, answer) => answer(failure(status.FAILED_PRECONDITION, trailers)) });
    await expect(log.tombstoneStream('s', 3)).rejects.toEqual(new WrongExpectedRevision('s', 3, 7));
  });

  it.each([
    [status.UNAUTHENTICATED, 'access-denied'],
    [status.PERMISSION_DENIED, 'access-denied'],
    [status.UNIMPLEMENTED, 'unsupported'],
    [status.INVALID_ARGUMENT, 'invalid-argument'],
    [status.UNAVAILABLE, 'log-unavailable'],
    [status.ABORTED, 'log-unavailable'],
    [status.DEADLINE_EXCEEDED, 'log-unavailable'],
    [status.CANCELLED, 'log-unavailable'],
    [status.RESOURCE_EXHAUSTED, 'log-full'],
    [status.DATA_LOSS, 'log-damaged'],
    [status.INTERNAL, 'unknown'],
  ])('gRPC code %d without an exception is the error %s', async (code, expected) => {
    const log = await against({ onTombstone: (_, answer) => answer(failure(code)) }, { giveUpAfterMs: 0 });
    await expect(log.tombstoneStream('s', 3)).rejects.toMatchObject({ code: expected });
  });

  it('not-leader: the call goes to the leader that is named, or to any node when none is', async () => {
    const served = await serveLog();
    open.push(served);
    const leader = { 'leader-endpoint-host': '127.0.0.1', 'leader-endpoint-port': String(served.port) };
    const notLeader = (call: BatchCall) =>
      call.emit('error', failure(status.NOT_FOUND, { exception: 'not-leader', ...leader }));
    const log = await against({ onChunk: notLeader });
    expect(await log.append('led', [newEvent()], 'no_stream')).toMatchObject({ revision: 0 });
    let tries = 0;
    const leaderless = await against({
      onChunk: (call, chunk) => {
        tries += 1;
        if (tries === 1) call.emit('error', failure(status.NOT_FOUND, { exception: 'not-leader' }));
        else call.write(success(chunk));
      },
    });
    expect(await leaderless.append('s', [newEvent()], 'no_stream')).toMatchObject({ revision: 0 });
  });
});

it.each<[string, (log: EventStoreDbEventLog) => Promise<unknown>]>([
  ['a read of a stream', async (log) => expect(await allOf(log.readStream('led'))).toHaveLength(1)],
  [
    'a read of everything',
    async (log) => expect((await allOf(log.readAll())).map(({ stream }) => stream)).toEqual(['led']),
  ],
  ['the head', async (log) => expect(await log.head()).toBeGreaterThan(0n)],
  ['a subscription to a stream', async (log) => expect(await first(log.subscribeStream.bind(log, 'led'))).toBe('led')],
  ['a subscription to everything', async (log) => expect(await first(log.subscribeAll.bind(log))).toBe('led')],
  ['a tombstone', async (log) => expect(await log.tombstoneStream('led', 0)).toBeGreaterThan(0n)],
])('not-leader: %s goes to the leader that is named', async (what, ask) => {
  const served = await serveLog();
  open.push(served);
  await served.log.append('led', [newEvent()], 'no_stream');
  const leader = { 'leader-endpoint-host': '127.0.0.1', 'leader-endpoint-port': String(served.port) };
  const notLeader = failure(status.NOT_FOUND, { exception: 'not-leader', ...leader });
  let asked = 0;
  const follower = await against({
    onRead: (call) => {
      // A tombstone asks first whether the stream is there; here it is its own call that is sent away.
      if (what === 'a tombstone') {
        call.end();
        return;
      }
      asked += 1;
      call.emit('error', notLeader);
    },
    onTombstone: (_call, answer) => {
      asked += 1;
      answer(notLeader);
    },
  });
  await ask(follower);
  expect(asked).toBe(1);
});

it('a subscription whose server stops being the leader goes on at the new one after what it has given', async () => {
  const served = await serveLog();
  open.push(served);
  const events = Array.from({ length: 6 }, () => newEvent());
  await served.log.append('s', events, 'no_stream');
  const leader = { 'leader-endpoint-host': '127.0.0.1', 'leader-endpoint-port': String(served.port) };
  const log = await against({
    onRead: (call) => {
      call.write(confirmation());
      for (const revision of [0, 1, 2]) call.write(recordedEvent(revision));
      call.emit('error', failure(status.NOT_FOUND, { exception: 'not-leader', ...leader }));
    },
  });
  const stop = new AbortController();
  const seen: number[] = [];
  for await (const page of log.subscribeStream('s', { signal: stop.signal })) {
    if (page.kind === 'events') seen.push(...page.events.map(({ revision }) => revision));
    if (seen.length >= events.length) stop.abort();
  }
  expect(seen).toEqual([0, 1, 2, 3, 4, 5]);
});

/** The stream of the first event that a subscription gives. */
async function first(
  subscribe: (options: { readonly signal: AbortSignal }) => AsyncIterable<SubscriptionPage>,
): Promise<string | undefined> {
  const stop = new AbortController();
  for await (const page of subscribe({ signal: stop.signal })) {
    if (page.kind === 'events') return page.events[0]?.stream;
  }
  return undefined;
}

describe('the official client by itself', () => {
  // In a process of its own: it does not survive this, which shows that the server of these tests is hostile indeed.
  const program = (url: string) => `
    import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
    const client = EventStoreDBClient.connectionString('${url}');
    await client.appendToStream('s', jsonEvent({ type: 't', data: {} })).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 500));
    process.exit(0);`;
  it.each<[string, Misbehaviour['onChunk']]>([
    ['two answers for one append', twice],
    ['an error without a stream', nameless],
  ])('ends its process on %s', async (_, onChunk) => {
    const server = await hostile({ ...(onChunk && { onChunk }) });
    const exit = await new Promise((resolve) => {
      execFile(process.execPath, ['--input-type=module', '-e', program(server.url)], (error) =>
        resolve(error?.code ?? 0),
      );
    });
    expect(exit).toBe(1);
  });

  it('works against an honest one', async () => {
    const served = await serveLog();
    const client = EventStoreDBClient.connectionString(served.url);
    expect(await client.appendToStream('s', jsonEvent({ type: 't', data: {} }))).toMatchObject({ success: true });
    await client.dispose();
    await served.close();
  });
});
