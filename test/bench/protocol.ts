// The official client against our server of its protocol, side by side with the same client against a server that keeps
// nothing and answers at once: what is lost between the two is ours, the rest is the protocol's and the client's.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { payloadData, payloadMetadata, payloadType } from './protocol-payload.js';

export interface ProtocolLine {
  readonly lane: string;
  readonly subject: string;
  readonly unit: string;
  readonly value: number;
  readonly against: string;
  readonly ratio: number;
}

export interface ProtocolBenchOptions {
  readonly rounds?: number;
  readonly appends?: number;
  readonly events?: number;
}

const subject = 'official client on the protocol server';
const against = 'official client on a server that keeps nothing';
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

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function line(lane: string, unit: string, ours: readonly number[], ceiling: readonly number[]): ProtocolLine {
  const value = Math.round(median(ours));
  return { lane, subject, unit, value, against, ratio: Number((value / median(ceiling)).toFixed(3)) };
}

/** Medians of interleaved rounds, fsync on. One line per lane. */
export async function protocolLanes(options: ProtocolBenchOptions = {}): Promise<readonly ProtocolLine[]> {
  const { rounds = 5, appends = 10_000, events = 50_000 } = options;
  const directory = mkdtempSync(join(tmpdir(), 'homing-bench-protocol-'));
  const ours = await run(['src/cli/homing.ts', 'log', 'serve', '--port', '0', '--data', directory]);
  const ceiling = await run(['test/bench/null-protocol-server.ts']);
  const rates = { append: [[], []], read: [[], []] } as Record<'append' | 'read', [number[], number[]]>;
  try {
    await fill(ours.client, 'bench-read', events);
    for (let round = -1; round < rounds; round++) {
      for (const [side, { client }] of [ours, ceiling].entries()) {
        const append = await appendRate(client, `bench-${round}`, round < 0 ? appends / 5 : appends);
        const read = await readRate(client, 'bench-read', events);
        // The first round warms both sides up.
        if (round < 0) continue;
        rates.append[side]?.push(append);
        rates.read[side]?.push(read);
      }
    }
  } finally {
    await ours.close();
    await ceiling.close();
    rmSync(directory, { recursive: true, force: true });
  }
  return [
    line('protocol-append-1-at-64', 'appends/s', ...rates.append),
    line('protocol-read', 'events/s', ...rates.read),
  ];
}
