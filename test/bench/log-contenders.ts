// The stores that the log's lanes run on, behind one small interface: ours, and the limits it is measured against.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { open as openLmdb } from 'lmdb';
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import { StreamIndex } from '../../src/event-log/embedded/index/stream-index.js';
import { SegmentFiles } from '../../src/event-log/embedded/storage/segment-files.js';
import type { NewEvent } from '../../src/event-log/event-log.js';
import { scanTyped, seen } from './log-typed.js';

export interface Store {
  append(stream: string, events: readonly NewEvent[], last: number): Promise<void>;
  /** Everything from the start, decoded as far as the store decodes; gives the number of events. */
  scan(): Promise<number>;
  close(): Promise<void>;
}

export interface StoreKind {
  readonly name: string;
  open(directory: string): Promise<Store>;
}

/** Bytes in, typed events out. */
export const homing: StoreKind = {
  name: 'homing embedded log',
  open: async (directory) => {
    const log = await EmbeddedEventLog.open(directory);
    return {
      append: async (stream, events, last) => {
        await log.append(stream, events, last < 0 ? 'no_stream' : last);
      },
      scan: () => scanTyped(log),
      close: () => log.close(),
    };
  },
};

const logId = Buffer.alloc(16, 1);
const bareRecordOverhead = 50;

/** The same files and the same index with nothing around them: no rules, no ids, no checksums, no decoding. */
export const bareFiles: StoreKind = {
  name: 'bare files (same bytes, same index)',
  open: async (directory) => {
    const options = { segmentBytes: 2 ** 30, durable: true, logId };
    mkdirSync(directory, { recursive: true });
    SegmentFiles.create(directory, options);
    const files = SegmentFiles.open(directory, options);
    const index = StreamIndex.open({
      directory: join(directory, 'index'),
      logId,
      durable: true,
      runEvents: 16_384,
      warn: console.error,
    });
    let waiting: { stream: string; events: readonly NewEvent[]; last: number; done: () => void }[] = [];
    let draining = false;
    let buffer = Buffer.allocUnsafeSlow(1 << 20);
    const drain = async (): Promise<void> => {
      while (waiting.length > 0) {
        const batch = waiting;
        waiting = [];
        await index.settle(files.end);
        let at = 0;
        const base = files.end;
        for (const { stream, events } of batch) {
          for (const event of events) {
            const size =
              bareRecordOverhead + stream.length + event.type.length + event.data.length + event.metadata.length;
            if (at + size > buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
            buffer.writeUInt32LE(size, at);
            buffer.set(event.metadata, at + bareRecordOverhead);
            buffer.set(event.data, at + bareRecordOverhead + event.metadata.length);
            at += size;
          }
        }
        await files.append(buffer.subarray(0, at));
        at = base;
        for (const { stream, events, last } of batch) {
          for (const [i, event] of events.entries()) {
            index.add(stream, last + 1 + i, at);
            at += bareRecordOverhead + stream.length + event.type.length + event.data.length + event.metadata.length;
          }
        }
        for (const { done } of batch) done();
        await new Promise((resolve) => setImmediate(resolve));
      }
      draining = false;
    };
    return {
      append: (stream, events, last) =>
        new Promise((done) => {
          waiting.push({ stream, events, last, done });
          if (draining) return;
          draining = true;
          setImmediate(() => void drain());
        }),
      scan: async () => {
        let count = 0;
        const chunk = Buffer.allocUnsafeSlow(1 << 20);
        for (let position = files.start; position < files.end; ) {
          const read = await files.read(position, chunk);
          let at = 0;
          while (at + 4 <= read && at + chunk.readUInt32LE(at) <= read) {
            const size = chunk.readUInt32LE(at);
            seen.bytes += chunk.subarray(at, at + size).length;
            at += size;
            count += 1;
          }
          position += at;
        }
        return count;
      },
      close: async () => {
        await index.close();
        files.close();
      },
    };
  },
};

/** LMDB with a table of records by position and an index by stream and revision; a commit is on disk when it resolves. */
export const bareLmdb: StoreKind = {
  name: 'bare lmdb 3.5.6',
  open: async (directory) => {
    const env = openLmdb({ path: directory, overlappingSync: false, mapSize: 2 ** 36, maxDbs: 4, encoding: 'binary' });
    const records = env.openDB<Buffer, Buffer>({ name: 'log', encoding: 'binary', keyEncoding: 'binary' });
    const index = env.openDB<Buffer, Buffer>({ name: 'index', encoding: 'binary', keyEncoding: 'binary' });
    const numbers = new Map<string, number>();
    let position = 0;
    return {
      append: async (stream, events, last) => {
        let number = numbers.get(stream);
        if (number === undefined) {
          number = numbers.size;
          numbers.set(stream, number);
        }
        const streamNumber = number;
        await env.batch(() => {
          for (const [i, event] of events.entries()) {
            position += 1;
            const key = Buffer.alloc(8);
            key.writeBigUInt64BE(BigInt(position));
            const value = Buffer.allocUnsafe(
              bareRecordOverhead + stream.length + event.type.length + event.data.length + event.metadata.length,
            );
            value.set(event.metadata, bareRecordOverhead);
            value.set(event.data, bareRecordOverhead + event.metadata.length);
            void records.put(key, value);
            const indexKey = Buffer.alloc(12);
            indexKey.writeUInt32BE(streamNumber);
            indexKey.writeBigUInt64BE(BigInt(last + 1 + i), 4);
            void index.put(indexKey, key);
          }
        });
      },
      scan: async () => {
        let count = 0;
        for (const { value } of records.getRange({})) {
          seen.bytes += value.length;
          count += 1;
          // As any reader of a server must, it lets others have a turn.
          if (count % 512 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        return count;
      },
      close: () => env.close(),
    };
  },
};
