// A process that holds a log until its standard input ends: for tests of the lock and of full disks. Commands come as
// lines, answers go as lines: `append <bytes>` → `ok <revision>` or the code of the refusal; `read` → the number of events.
import { createInterface } from 'node:readline';
import { EmbeddedEventLog } from '../../../src/event-log/embedded/embedded-event-log.js';
import { EventLogError } from '../../../src/event-log/event-log.js';

const [directory = '', options = '{}'] = process.argv.slice(2);

async function answer(log: EmbeddedEventLog, command: string): Promise<string> {
  const [verb, bytes] = command.split(' ');
  if (verb === 'read') {
    let events = 0;
    for await (const page of log.readStream('held')) events += page.length;
    return `${events}`;
  }
  try {
    const event = {
      id: crypto.randomUUID(),
      type: 'Held',
      contentType: 'application/octet-stream' as const,
      data: Buffer.alloc(Number(bytes), 1),
      metadata: new Uint8Array(0),
    };
    return `ok ${(await log.append('held', [event], 'any')).revision}`;
  } catch (error) {
    if (error instanceof EventLogError) return error.code;
    throw error;
  }
}

try {
  const log = await EmbeddedEventLog.open(directory, JSON.parse(options) as object);
  console.log('open');
  for await (const command of createInterface({ input: process.stdin })) console.log(await answer(log, command));
  await log.close();
} catch (error) {
  console.log(error instanceof EventLogError ? `${error.code}: ${error.message}` : String(error));
  process.exitCode = 1;
}
