// Anonymous memory of a process that reads a whole log: it must not grow with the log. A child reads, so that nothing
// else is measured; mapped and cached pages of files do not count.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import { bytesOf, newEvent } from './log-workload.js';
import type { BenchOptions } from './suite.js';

const lane = 'log/rss-anon-while-reading';

async function fill(directory: string, events: number): Promise<void> {
  const log = await EmbeddedEventLog.open(directory, { durable: false });
  const contents = Array.from({ length: 1024 }, (_, i) => bytesOf(i));
  const perAppend = 200;
  for (let i = 0; i < events; i += perAppend) {
    const batch = Array.from({ length: perAppend }, (_, k) =>
      newEvent(i + k, contents[(i + k) % 1024] as (typeof contents)[0], 'memory'),
    );
    await log.append(`conversation-${(i / perAppend) % 5_003}`, batch, 'any');
  }
  await log.close();
}

/** Peak RssAnon of a process that reads the log once, in MiB. */
async function peakWhileReading(directory: string): Promise<{ readonly mebibytes: number; readonly events: number }> {
  const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const child = spawn(
    process.execPath,
    ['--import', here('../register.mjs'), here('./log-memory-child.ts'), directory],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => {
    output += bytes.toString();
  });
  await new Promise((resolve) => child.once('close', resolve));
  return JSON.parse(output) as { mebibytes: number; events: number };
}

export async function memoryLane([few, many]: readonly [number, number], options: BenchOptions): Promise<void> {
  if (!lane.includes(options.only)) return;
  if (process.platform !== 'linux') return options.note('RssAnon is told by Linux alone');
  const peaks: number[] = [];
  for (const events of [few, many]) {
    const directory = mkdtempSync(join(tmpdir(), 'homing-bench-'));
    try {
      await fill(directory, events);
      const { mebibytes, events: read } = await peakWhileReading(directory);
      if (read !== events) throw new Error(`${read} of ${events} events were read`);
      peaks.push(mebibytes);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
  const [low, high] = peaks as [number, number];
  const figure = {
    lane,
    subject: `reading ${many} events`,
    unit: 'MiB RssAnon, peak',
    value: high,
    against: `reading ${few} events`,
  };
  options.print(JSON.stringify({ ...figure, ratio: Number((high / low).toPrecision(4)) }));
}
