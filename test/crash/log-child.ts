// The process that is killed: 64 writers at once, each telling every acknowledged unit on standard output before it goes
// on. What was told and is missing afterwards was lost.
import { writeSync } from 'node:fs';
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import { crashLogOptions, type Orders, unitOf, writers } from './log-units.js';

/** Told units are 8 bytes: u32 writer, u32 number. */
function tell(writer: number, number: number): void {
  const message = Buffer.alloc(8);
  message.writeUInt32LE(writer, 0);
  message.writeUInt32LE(number, 4);
  writeSync(1, message);
}

async function write(log: EmbeddedEventLog, { seed, round }: Orders, writer: number): Promise<never> {
  let own = 0;
  for (let number = 0; ; number++) {
    const { appends, ownAfter } = unitOf(seed, { round, writer, number }, own);
    const [only] = appends;
    if (appends.length === 1 && only) await log.append(only.stream, only.events, only.expected);
    else await log.appendMany(appends);
    tell(writer, number);
    own = ownAfter;
  }
}

process.stdin.once('data', (bytes: Buffer) => {
  const orders = JSON.parse(bytes.toString()) as Orders;
  void EmbeddedEventLog.open(orders.directory, crashLogOptions)
    .then((log) => Promise.all(Array.from({ length: writers }, (_, writer) => write(log, orders, writer))))
    .catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
});
process.stderr.write('ready\n');
