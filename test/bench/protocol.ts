// The official client against our server of its protocol, side by side with the same client against a server that keeps
// nothing and answers at once: what is lost between the two is ours, the rest is the protocol's and the client's.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { payloadData, payloadMetadata, payloadType } from './protocol-payload.js';
import { type BenchSuite, race } from './suite.js';

interface Sizes {
  readonly rounds: number;
  readonly appends: number;
  readonly events: number;
}
const full: Sizes = { rounds: 5, appends: 12_800, events: 60_000 };
const small: Sizes = { rounds: 1, appends: 1_280, events: 6_000 };

const subject = 'official client on the protocol server';
const against = 'official client on a server that keeps nothing';
const lanes = ['log/protocol-append-64-in-flight', 'log/protocol-read'] as const;
const inFlight = 64;
const appendsPerBatch = 100;

interface Running {
  readonly client: EventStoreDBClient;
  close(): Promise<void>;
}

async function run(script: readonly string[]): Promise<Running> {
  const child: ChildProcess = spawn(process.execPath, ['--import', './test/register.mjs', ...script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise<string>((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`${script.join(' ')} ended with ${code}`)));
    if (child.stdout)
      createInterface({ input: child.stdout }).once('line', (line) => resolve(line.replace('READY ', '')));
  });
  const client = EventStoreDBClient.connectionString(`esdb://127.0.0.1:${port}?tls=false`);
  return {
    client,
    async close() {
      await client.dispose();
      child.removeAllListeners('exit');
      const exit = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await exit;
    },
  };
}

const newEvent = () => jsonEvent({ type: payloadType, data: payloadData, metadata: payloadMetadata });

/** Single appends per second: as many writers as there are in flight, each with the exact revision of its own stream. */
async function appendRate(client: EventStoreDBClient, name: string, appends: number): Promise<number> {
  const each = Math.ceil(appends / inFlight);
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: inFlight }, async (_, writer) => {
      for (let i = 0; i < each; i++) {
        const expectedRevision = i === 0 ? 'no_stream' : BigInt(i - 1);
        await client.appendToStream(`${name}-${writer}`, newEvent(), { expectedRevision });
      }
    }),
  );
  return (each * inFlight * 1_000) / (performance.now() - startedAt);
}

/** Events read per second: one read of a stream from its start. */
async function readRate(client: EventStoreDBClient, stream: string, events: number): Promise<number> {
  const startedAt = performance.now();
  let read = 0;
  for await (const { event } of client.readStream(stream, { maxCount: events })) if (event) read += 1;
  if (read !== events) throw new Error(`${stream}: read ${read} events of ${events}`);
  return (read * 1_000) / (performance.now() - startedAt);
}

async function fill(client: EventStoreDBClient, stream: string, events: number): Promise<void> {
  for (let at = 0; at < events; at += appendsPerBatch) {
    const count = Math.min(appendsPerBatch, events - at);
    await client.appendToStream(stream, Array.from({ length: count }, newEvent));
  }
}

/** Both lanes, fsync on, after a round that warms both sides up. */
export const protocolLanes: BenchSuite = async (options) => {
  if (!lanes.some((lane) => lane.includes(options.only))) return;
  const { rounds, appends, events } = options.quick ? small : full;
  const directory = mkdtempSync(join(tmpdir(), 'homing-bench-protocol-'));
  const servers: (Running & { readonly subject: string })[] = [];
  try {
    servers.push({
      subject,
      ...(await run(['src/cli/homing.ts', 'log', 'serve', '--port', '0', '--data', directory])),
    });
    servers.push({ subject: against, ...(await run(['test/bench/null-protocol-server.ts'])) });
    await fill(servers[0]?.client as EventStoreDBClient, 'bench-read', events);
    let turn = 0;
    const measures = [
      (client: EventStoreDBClient) => appendRate(client, `bench-${turn++}`, appends),
      (client: EventStoreDBClient) => readRate(client, 'bench-read', events),
    ];
    for (const measure of measures) for (const { client } of servers) await measure(client);
    for (const [i, lane] of lanes.entries()) {
      const measure = measures[i] as (typeof measures)[0];
      const contenders = servers.map((server) => ({
        subject: server.subject,
        measure: () => measure(server.client),
      }));
      await race({ lane, unit: 'events/s', contenders, rounds }, options);
    }
  } finally {
    for (const server of servers) await server.close();
    rmSync(directory, { recursive: true, force: true });
  }
};
