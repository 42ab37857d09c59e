// The thread that folds the facts: one build, from one position on, until it is ended.
import { parentPort, workerData } from 'node:worker_threads';
import { decodeHidden } from '../event-log/codec.js';
import { LogFollower } from '../event-log/embedded/reading/log-follower.js';
import { EventStoreDbEventLog } from '../event-log/eventstoredb/eventstoredb-event-log.js';
import { type Cut, cutLog } from '../projector/clickhouse/chunk/chunk-stream.js';
import { factSource } from './fact-source.js';
import type { FoldOrders, FromThread, ToThread } from './fold-thread.js';

const port = parentPort;
if (!port) throw new Error('this module is a thread of the service');
const { log, after, limits } = workerData as FoldOrders;

let acknowledged: ((message: Extract<ToThread, { kind: 'acknowledged' }>) => void) | undefined;
const reader =
  'url' in log
    ? EventStoreDbEventLog.open(log.url)
    : LogFollower.open(log.directory, log.known, (end) => {
        tell({ kind: 'beyond', end });
        return new Promise((resolve) => {
          acknowledged = ({ known }) => resolve(known);
        });
      });
// The thread is ended from outside, wherever it is.
const { signal } = new AbortController();
const cuts = cutLog(reader, factSource, decodeHidden, { after, limits, signal })[Symbol.asyncIterator]();

port.on('message', (message: ToThread) => {
  if (message.kind === 'acknowledged') acknowledged?.(message);
  else void next();
});

async function next(): Promise<void> {
  try {
    const { value, done } = await cuts.next();
    if (!done) tell({ kind: 'cut', cut: value }, buffersOf(value));
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    tell({ kind: 'failed', name, message });
  }
}

function tell(message: FromThread, transferred: readonly ArrayBuffer[] = []): void {
  port?.postMessage(message, transferred);
}

/** Those that are a piece's own are handed over; small pieces share one and are copied. */
function buffersOf({ chunk }: Cut): readonly ArrayBuffer[] {
  const pieces = chunk?.parts.flatMap((part) => part.pieces) ?? [];
  const own = pieces.filter(({ buffer, byteLength }) => buffer.byteLength === byteLength);
  return own.map(({ buffer }) => buffer as ArrayBuffer);
}
