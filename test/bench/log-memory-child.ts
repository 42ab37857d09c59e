// Reads a log as typed events and tells the peak of its anonymous memory.
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import { MemoryWatch } from '../memory-watch.js';
import { scanTyped } from './log-typed.js';

const log = await EmbeddedEventLog.open(process.argv[2] ?? '');
const memory = new MemoryWatch(process.pid);
const events = await scanTyped(log);
memory.stop();
const mebibytes = Number((memory.take() / 2 ** 20).toPrecision(4));
await log.close();
process.stdout.write(JSON.stringify({ events, mebibytes }));
