// Reads a log as typed events and tells the peak of its anonymous memory.
import { readFileSync } from 'node:fs';
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import { scanTyped } from './log-typed.js';

function anonymousKibibytes(): number {
  return Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
}

const log = await EmbeddedEventLog.open(process.argv[2] ?? '');
let peak = 0;
const timer = setInterval(() => {
  peak = Math.max(peak, anonymousKibibytes());
}, 20);
const events = await scanTyped(log);
clearInterval(timer);
peak = Math.max(peak, anonymousKibibytes());
await log.close();
process.stdout.write(JSON.stringify({ events, mebibytes: Number((peak / 1024).toPrecision(4)) }));
