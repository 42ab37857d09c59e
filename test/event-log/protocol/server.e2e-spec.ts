// What the server says of itself, what it refuses, and `homing log serve` and `homing log check` as processes.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { openSync, readdirSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  AccessDeniedError,
  type EventStoreDBClient,
  persistentSubscriptionToAllSettingsFromDefaults,
  persistentSubscriptionToStreamSettingsFromDefaults,
  START,
} from '@eventstore/db-client';
import gossipGrpc from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { announcedVersion } from '../../../src/event-log/protocol/announcements.js';
import { unsupportedServices } from '../../../src/event-log/protocol/unsupported.js';
import { type TemporaryDirectory, temporaryDirectory } from '../temporary-directory.js';
import { collect, connect, jsonEvents, rejection } from './client.js';
import { selfSignedCertificate } from './self-signed-certificate.js';
import { type Served, serveLog } from './serve-log.js';

let served: Served;
let client: EventStoreDBClient;
beforeAll(async () => {
  served = await serveLog();
  client = connect(served.url);
});
afterAll(async () => {
  await client.dispose();
  await served.close();
});

describe('announcements', () => {
  it('version 24.4 and the methods that work, in lower case', async () => {
    const stub = new featuresGrpc.ServerFeaturesClient(`127.0.0.1:${served.port}`, credentials.createInsecure());
    const features = await new Promise<[string, string[]]>((resolve, reject) => {
      stub.getSupportedMethods(new shared.Empty(), (error, answer) => {
        if (error) reject(error);
        const methods = answer
          ?.getMethodsList()
          .map((method) => `${method.getServiceName()}/${method.getMethodName()}`);
        resolve([answer?.getEventStoreServerVersion() ?? '', methods ?? []]);
      });
    });
    stub.close();
    expect(features[0]).toBe(announcedVersion);
    expect(announcedVersion).toMatch(/^24\.4\./);
    expect(features[1]).toContain('event_store.client.streams.streams/batchappend');
    expect(features[1].filter((method) => method !== method.toLowerCase())).toEqual([]);
  });

  it('one member, which is the leader, where the server listens', async () => {
    const stub = new gossipGrpc.GossipClient(`127.0.0.1:${served.port}`, credentials.createInsecure());
    const members = await new Promise<unknown[]>((resolve, reject) => {
      stub.read(new shared.Empty(), (error, answer) => {
        if (error) reject(error);
        resolve(answer?.toObject().membersList ?? []);
      });
    });
    stub.close();
    expect(members).toMatchObject([
      { state: 8, isAlive: true, httpEndPoint: { address: '127.0.0.1', port: served.port } },
    ]);
  });
});

describe('gossip of a server on every address', () => {
  const membersAt = (port: number) =>
    new Promise<(string | undefined)[]>((resolve, reject) => {
      const stub = new gossipGrpc.GossipClient(`localhost:${port}`, credentials.createInsecure());
      stub.read(new shared.Empty(), (error, answer) => {
        stub.close();
        if (error) reject(error);
        else resolve(answer.getMembersList().map((member) => member.getHttpEndPoint()?.getAddress()));
      });
    });

  it('names the address that the client called, or the one that was given', async () => {
    for (const [advertisedHost, told] of [
      [undefined, 'localhost'],
      ['log.example', 'log.example'],
    ] as const) {
      const open = await serveLog({ server: { host: '0.0.0.0', ...(advertisedHost && { advertisedHost }) } });
      expect(await membersAt(open.port)).toEqual([told]);
      await open.close();
    }
  });

  it('leads a client that discovers it back to it', async () => {
    const open = await serveLog({ server: { host: '0.0.0.0' } });
    const discovering = connect(`esdb+discover://127.0.0.1:${open.port}?tls=false`);
    expect(await discovering.appendToStream('found', jsonEvents(1))).toMatchObject({ success: true });
    await discovering.dispose();
    await open.close();
  });
});

describe('what is not supported', () => {
  it.each(
    unsupportedServices.flatMap(({ service, reason }) =>
      Object.values(service).map((method) => [method.path.split('.').at(-1) ?? '', method, reason] as const),
    ),
  )('%s is UNIMPLEMENTED, with a sentence', async (_, method, reason) => {
    const stub = new Client(`127.0.0.1:${served.port}`, credentials.createInsecure());
    const plain = (bytes: Buffer) => bytes;
    const error = await new Promise<ServiceError | null>((resolve) => {
      if (method.responseStream) {
        const call = stub.makeBidiStreamRequest(method.path, plain, plain);
        call.on('data', () => undefined);
        call.on('error', resolve);
        call.end(Buffer.alloc(0));
      } else stub.makeUnaryRequest(method.path, plain, plain, Buffer.alloc(0), resolve);
    });
    stub.close();
    expect(error).toMatchObject({ code: 12, details: reason });
  });

  const stream = persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: START });
  const all = persistentSubscriptionToAllSettingsFromDefaults({ startFrom: START });
  const ended = (subscription: NodeJS.EventEmitter & { resume(): unknown }) =>
    new Promise((_, reject) => {
      subscription.on('error', reject);
      subscription.resume();
    });
  it.each<[string, (client: EventStoreDBClient) => Promise<unknown>]>([
    ['create to a stream', (c) => c.createPersistentSubscriptionToStream('s', 'g', stream)],
    ['create to $all', (c) => c.createPersistentSubscriptionToAll('g', all)],
    ['update to a stream', (c) => c.updatePersistentSubscriptionToStream('s', 'g', stream)],
    ['update to $all', (c) => c.updatePersistentSubscriptionToAll('g', all)],
    ['delete to a stream', (c) => c.deletePersistentSubscriptionToStream('s', 'g')],
    ['delete to $all', (c) => c.deletePersistentSubscriptionToAll('g')],
    ['subscribe to a stream', (c) => ended(c.subscribeToPersistentSubscriptionToStream('s', 'g'))],
    ['subscribe to $all', (c) => ended(c.subscribeToPersistentSubscriptionToAll('g'))],
    ['info to a stream', (c) => c.getPersistentSubscriptionToStreamInfo('s', 'g')],
    ['info to $all', (c) => c.getPersistentSubscriptionToAllInfo('g')],
    ['list of a stream', (c) => c.listPersistentSubscriptionsToStream('s')],
    ['list of $all', (c) => c.listPersistentSubscriptionsToAll()],
    ['list of all', (c) => c.listAllPersistentSubscriptions()],
    ['replay to a stream', (c) => c.replayParkedMessagesToStream('s', 'g')],
    ['replay to $all', (c) => c.replayParkedMessagesToAll('g')],
    ['restart', (c) => c.restartPersistentSubscriptionSubsystem()],
  ])('tells the official client so: persistent subscriptions, %s', async (_, ask) => {
    expect(String(await rejection(ask(client)))).toMatch(
      /12 UNIMPLEMENTED: Persistent subscriptions are not supported/,
    );
  });

  it.each<[string, (client: EventStoreDBClient) => Promise<unknown>]>([
    ['create', (c) => c.createProjection('p', 'fromAll()')],
    ['create, tracking', (c) => c.createProjection('p', 'fromAll()', { trackEmittedStreams: true })],
    ['update', (c) => c.updateProjection('p', 'fromAll()')],
    ['delete', (c) => c.deleteProjection('p')],
    ['status', (c) => c.getProjectionStatus('p')],
    ['list', (c) => c.listProjections()],
    ['enable', (c) => c.enableProjection('$by_category')],
    ['disable', (c) => c.disableProjection('p')],
    ['abort', (c) => c.abortProjection('p')],
    ['reset', (c) => c.resetProjection('p')],
    ['state', (c) => c.getProjectionState('p')],
    ['result', (c) => c.getProjectionResult('p')],
    ['restart', (c) => c.restartSubsystem()],
  ])('tells the official client so: projections, %s', async (_, ask) => {
    expect(String(await rejection(ask(client)))).toMatch(/12 UNIMPLEMENTED: Projections are not supported/);
  });

  it('and goes on serving it', async () => {
    expect(await client.appendToStream('s', jsonEvents(1))).toMatchObject({ success: true });
  });
});

describe('homing log', () => {
  let directory: TemporaryDirectory;
  beforeAll(() => {
    directory = temporaryDirectory();
  });
  afterAll(() => directory.remove());
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  const node = ['--import', './test/register.mjs', 'src/cli/homing.ts', 'log'];

  interface Running {
    readonly port: number;
    readonly lines: string[];
    /** Sends the signal and gives the exit code. */
    stop(signal: NodeJS.Signals): Promise<number | null>;
  }

  async function serve(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Running> {
    const child = spawn(process.execPath, [...node, 'serve', ...args], { env: { ...process.env, ...env } });
    children.push(child);
    const exit = new Promise<number | null>((resolve) => child.on('exit', resolve));
    const lines: string[] = [];
    const ready = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        lines.push(line);
        resolve(line);
      });
      child.on('exit', (code) => reject(new Error(`ended with ${code} before it was ready`)));
    });
    const port = Number(/^READY ([0-9]+)$/.exec(ready)?.[1]);
    const stop = (signal: NodeJS.Signals) => {
      child.kill(signal);
      return exit;
    };
    return { port, lines, stop };
  }

  async function run(
    args: readonly string[],
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
    return new Promise((resolve) => {
      execFile(process.execPath, [...node, ...args], (error, out, err) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err });
      });
    });
  }

  const eventsIn = async (port: number, stream: string) => {
    const other = connect(`esdb://127.0.0.1:${port}?tls=false`);
    const events = await collect(other.readStream(stream));
    await other.dispose();
    return events.length;
  };

  it('serve: one READY line, what was acknowledged is there after a kill, checked from end to end', async () => {
    const data = join(directory.path, 'data');
    const first = await serve(['--port', '0', '--data', data]);
    const writer = connect(`esdb://127.0.0.1:${first.port}?tls=false`);
    for (let i = 0; i < 20; i++) await writer.appendToStream('kept', jsonEvents(5));
    await first.stop('SIGKILL');
    await writer.dispose();
    expect(first.lines).toEqual([`READY ${first.port}`]);
    const second = await serve(['--port', '0', '--data', data]);
    expect(await eventsIn(second.port, 'kept')).toBe(100);
    const locked = await run(['check', '--data', data]);
    expect(locked).toMatchObject({ code: 1, err: expect.stringMatching(/is held by process [0-9]+/) });
    expect(await second.stop('SIGTERM')).toBe(0);
    expect(await run(['check', '--data', data])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^OK log \S+: 101 events/),
    });
  });

  it('check: a damaged byte is told with its position, and nothing else is claimed', async () => {
    const data = join(directory.path, 'damaged');
    const running = await serve(['--port', '0', '--data', data]);
    const writer = connect(`esdb://127.0.0.1:${running.port}?tls=false`);
    await writer.appendToStream('s', jsonEvents(50));
    await writer.dispose();
    await running.stop('SIGINT');
    const segment = readdirSync(data).find((name) => name.endsWith('.seg')) ?? '';
    const file = join(data, segment);
    writeSync(openSync(file, 'r+'), Buffer.from([0xff]), 0, 1, Math.floor(statSync(file).size / 2));
    const found = await run(['check', '--data', data]);
    expect(found.code).toBe(1);
    expect(found.out).toBe('');
    expect(found.err).toMatch(/position [0-9]+/);
    expect(await run(['check', '--data', join(directory.path, 'nowhere')])).toMatchObject({ code: 1 });
  });

  it('serve --memory: works and leaves nothing behind', async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('homing-log-'));
    const running = await serve(['--port', '0', '--memory'], { EVENTSTORE_MAX_APPEND_SIZE: '2000' });
    const writer = connect(`esdb://127.0.0.1:${running.port}?tls=false`);
    await writer.appendToStream('s', jsonEvents(3));
    expect(await rejection(writer.appendToStream('s', jsonEvents(100)))).toMatchObject({ maxAppendSize: 2000 });
    expect(await eventsIn(running.port, 's')).toBe(3);
    await writer.dispose();
    expect(await running.stop('SIGTERM')).toBe(0);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('homing-log-') && !before.includes(name))).toEqual(
      [],
    );
  });

  it('serve with TLS: only who trusts the certificate is served', async () => {
    const { certificate, key } = selfSignedCertificate();
    const files = [join(directory.path, 'certificate.pem'), join(directory.path, 'key.pem')] as const;
    writeFileSync(files[0], certificate);
    writeFileSync(files[1], key);
    const running = await serve(['--port', '0', '--memory', '--tls-certificate', files[0], '--tls-key', files[1]]);
    const trusting = connect(`esdb://localhost:${running.port}?tlsCAFile=${encodeURIComponent(files[0])}`);
    expect(await trusting.appendToStream('s', jsonEvents(1))).toMatchObject({ success: true });
    const plain = connect(`esdb://localhost:${running.port}?tls=false`);
    expect(await rejection(plain.appendToStream('s', jsonEvents(1)))).toBeInstanceOf(Error);
    await Promise.all([trusting.dispose(), plain.dispose()]);
    expect(await running.stop('SIGTERM')).toBe(0);
    expect(await run(['serve', '--memory', '--tls-key', files[1]])).toMatchObject({ code: 1 });
  });

  it('serve with a user: only who has the password is served', async () => {
    const { certificate, key } = selfSignedCertificate();
    const file = (name: string, content: string | Buffer) => {
      writeFileSync(join(directory.path, name), content);
      return join(directory.path, name);
    };
    const tls = ['--tls-certificate', file('user.pem', certificate), '--tls-key', file('user-key.pem', key)];
    const password = file('password', 'p@ss:word\n');
    const running = await serve(['--port', '0', '--memory', ...tls, '--user', 'writer', '--password-file', password]);
    const as = (who: string) =>
      connect(
        `esdb://${who}localhost:${running.port}?tlsCAFile=${encodeURIComponent(join(directory.path, 'user.pem'))}`,
      );
    const clients = ['writer:p%40ss%3Aword@', 'writer:wrong@', 'reader:p%40ss%3Aword@', ''].map(as);
    const [right, ...others] = clients as [EventStoreDBClient, ...EventStoreDBClient[]];
    expect(await right.appendToStream('s', jsonEvents(1))).toMatchObject({ success: true });
    for (const other of others) {
      expect(await rejection(other.appendToStream('s', jsonEvents(1)))).toBeInstanceOf(AccessDeniedError);
      expect(await rejection(collect(other.readStream('s')))).toBeInstanceOf(AccessDeniedError);
    }
    await Promise.all(clients.map((one) => one.dispose()));
    expect(await running.stop('SIGTERM')).toBe(0);
    expect(await run(['serve', '--memory', '--user', 'u', '--password-file', password])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/--user needs TLS/),
    });
    expect(await run(['serve', '--memory', ...tls, '--user', 'u'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/--user and --password-file go together/),
    });
  });

  it('serve: says what is wrong with how it was called', async () => {
    expect(await run(['serve'])).toMatchObject({ code: 1, err: expect.stringMatching(/--data <dir> or --memory/) });
    expect(await run(['serve', '--memory', '--port', 'x'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/whole number/),
    });
    const taken = await run(['serve', '--memory', '--port', String(served.port)]);
    expect(taken).toMatchObject({ code: 1, err: expect.stringMatching(/EADDRINUSE|bind/i) });
  });
});
