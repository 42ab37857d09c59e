// Metadata that hides events, soft deletes and tombstones.
import { expect } from '@jest/globals';
import { type EventLog, StreamDeleted, WrongExpectedRevision } from '../../../src/event-log/event-log.js';
import { all, failure, follow, newStream, of, type Rule, revisions, type Subject, several } from './rule.js';

async function streamOf(log: EventLog, count: number): Promise<string> {
  const stream = newStream();
  await log.append(stream, several(count), 'no_stream');
  return stream;
}

async function visible(log: EventLog, stream: string): Promise<number[]> {
  return revisions(await all(log.readStream(stream)));
}

export const retentionRules: readonly Rule[] = [
  {
    says: 'keeps the metadata of a stream and replaces it whole',
    async check({ log }) {
      const stream = newStream();
      expect(await log.getStreamMetadata(stream)).toEqual({});
      await log.setStreamMetadata(stream, { maxCount: 7, maxAgeSeconds: 3600, truncateBefore: 2 });
      expect(await log.getStreamMetadata(stream)).toEqual({ maxCount: 7, maxAgeSeconds: 3600, truncateBefore: 2 });
      await log.setStreamMetadata(stream, { maxCount: 8 });
      expect(await log.getStreamMetadata(stream)).toEqual({ maxCount: 8 });
    },
  },
  {
    says: 'checks the expected revision of metadata, and shows only its newest version',
    async check({ log }) {
      const stream = newStream();
      expect((await log.setStreamMetadata(stream, { maxCount: 1 }, 'no_stream')).revision).toBe(0);
      expect(await failure(log.setStreamMetadata(stream, { maxCount: 2 }, 'no_stream'))).toMatchObject({ actual: 0 });
      expect((await log.setStreamMetadata(stream, { maxCount: 3 }, 0)).revision).toBe(1);
      expect(await visible(log, `$$${stream}`)).toEqual([1]);
    },
  },
  {
    says: 'shows only the last events of a stream with a max count',
    async check({ log }) {
      const stream = await streamOf(log, 5);
      await log.setStreamMetadata(stream, { maxCount: 2 });
      expect(await visible(log, stream)).toEqual([3, 4]);
      expect((await log.append(stream, several(1), 4)).revision).toBe(5);
      expect(await visible(log, stream)).toEqual([4, 5]);
      expect(revisions(await all(log.readStream(stream, { direction: 'backwards' })))).toEqual([5, 4]);
      expect(revisions(await all(log.readStream(stream, { from: 1, limit: 1 })))).toEqual([4]);
    },
  },
  {
    says: 'hides the events before the truncation mark',
    async check({ log }) {
      const stream = await streamOf(log, 5);
      await log.setStreamMetadata(stream, { truncateBefore: 3 });
      expect(await visible(log, stream)).toEqual([3, 4]);
      await log.setStreamMetadata(stream, { truncateBefore: 1 });
      expect(await visible(log, stream)).toEqual([1, 2, 3, 4]);
    },
  },
  {
    says: 'hides the events over the max age, as soon as they are',
    async check({ log, patienceMs }) {
      const stream = await streamOf(log, 2);
      await log.setStreamMetadata(stream, { maxAgeSeconds: 3600 });
      expect(await visible(log, stream)).toEqual([0, 1]);
      await log.setStreamMetadata(stream, { maxAgeSeconds: 1 });
      const began = Date.now();
      while ((await visible(log, stream)).length > 0) {
        if (Date.now() - began > patienceMs) throw new Error('events older than the max age are still visible');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      expect((await log.append(stream, several(1), 1)).revision).toBe(2);
      expect(await visible(log, stream)).toEqual([2]);
    },
  },
  {
    says: 'hides nothing from what it reads of everything',
    async check({ log }) {
      const before = await log.head();
      const stream = await streamOf(log, 5);
      await log.setStreamMetadata(stream, { maxCount: 1, truncateBefore: 3 });
      expect(revisions(of(stream, await all(log.readAll({ after: before }))))).toEqual([0, 1, 2, 3, 4]);
      await log.deleteStream(stream, 'any');
      expect(revisions(of(stream, await all(log.readAll({ after: before }))))).toEqual([0, 1, 2, 3, 4]);
    },
  },
  {
    says: 'gives a subscription to a stream only what is visible',
    async check(subject: Subject) {
      const { log } = subject;
      const stream = await streamOf(log, 5);
      await log.setStreamMetadata(stream, { maxCount: 2 });
      const seen = await follow(
        subject,
        (signal) => log.subscribeStream(stream, { signal }),
        ({ caughtUpAt }) => caughtUpAt.length > 0,
      );
      expect(revisions(seen.events)).toEqual([3, 4]);
    },
  },
  {
    says: 'soft-deletes: nothing is read, an append revives the stream and goes on counting',
    async check({ log }) {
      for (const expected of ['any', 'no_stream', 2] as const) {
        const stream = await streamOf(log, 3);
        expect(await log.deleteStream(stream, 2)).toBeGreaterThan(0n);
        expect(await visible(log, stream)).toEqual([]);
        expect((await log.append(stream, several(2), expected)).revision).toBe(4);
        expect(await visible(log, stream)).toEqual([3, 4]);
        expect((await log.append(stream, several(1), 4)).revision).toBe(5);
        expect(await visible(log, stream)).toEqual([3, 4, 5]);
      }
    },
  },
  {
    says: 'revives a soft-deleted stream with the truncation mark at its first new event and all else as it was',
    async check({ log }) {
      const stream = await streamOf(log, 3);
      await log.deleteStream(stream, 'any');
      await log.append(stream, several(1), 'any');
      expect(await log.getStreamMetadata(stream)).toEqual({ truncateBefore: 3 });
    },
  },
  {
    says: 'soft-deletes only what exists, at the expected revision',
    async check({ log }) {
      for (const expected of ['any', 'no_stream', 0] as const) {
        expect(await failure(log.deleteStream(newStream(), expected))).toBeInstanceOf(WrongExpectedRevision);
      }
      const stream = await streamOf(log, 2);
      expect(await failure(log.deleteStream(stream, 0))).toMatchObject({ actual: 1 });
      expect(await failure(log.deleteStream(stream, 'no_stream'))).toBeInstanceOf(WrongExpectedRevision);
      expect(await visible(log, stream)).toEqual([0, 1]);
    },
  },
  {
    says: 'refuses stream_exists for a soft-deleted stream',
    async check({ log }) {
      const stream = await streamOf(log, 1);
      await log.deleteStream(stream, 'any');
      expect(await failure(log.append(stream, several(1), 'stream_exists'))).toBeInstanceOf(StreamDeleted);
    },
  },
  {
    says: 'tombstones for ever: no append, no read, no metadata, no second delete',
    async check({ log }) {
      const stream = await streamOf(log, 2);
      expect(await failure(log.tombstoneStream(stream, 0))).toMatchObject({ actual: 1 });
      expect(await log.tombstoneStream(stream, 1)).toBeGreaterThan(0n);
      for (const expected of ['any', 'no_stream', 'stream_exists', 1, Number.MAX_SAFE_INTEGER] as const) {
        const refusal = await failure(log.append(stream, several(1), expected));
        expect(refusal).toBeInstanceOf(StreamDeleted);
        expect(refusal).toMatchObject({ stream, code: 'stream-deleted', retryable: false });
      }
      expect(await failure(all(log.readStream(stream)))).toBeInstanceOf(StreamDeleted);
      expect(await failure(log.setStreamMetadata(stream, { maxCount: 1 }))).toBeInstanceOf(StreamDeleted);
      expect(await failure(log.deleteStream(stream, 'any'))).toBeInstanceOf(StreamDeleted);
      for (const expected of ['any', Number.MAX_SAFE_INTEGER] as const) {
        expect(await failure(log.tombstoneStream(stream, expected))).toBeInstanceOf(StreamDeleted);
      }
    },
  },
  {
    says: 'tombstones a stream that never was',
    async check({ log }) {
      const stream = newStream();
      await log.tombstoneStream(stream, 'no_stream');
      expect(await failure(log.append(stream, several(1), 'any'))).toBeInstanceOf(StreamDeleted);
    },
  },
  {
    says: 'remembers metadata, soft deletes and tombstones across a restart',
    needsRestart: true,
    async check({ log, restart }) {
      const [counted, deleted, gone] = [await streamOf(log, 4), await streamOf(log, 3), await streamOf(log, 2)];
      await log.setStreamMetadata(counted, { maxCount: 2 });
      await log.deleteStream(deleted, 'any');
      await log.tombstoneStream(gone, 'any');
      const again = (await restart?.()) ?? log;
      expect(await visible(again, counted)).toEqual([2, 3]);
      expect(await visible(again, deleted)).toEqual([]);
      expect(await failure(again.append(gone, several(1), 'any'))).toBeInstanceOf(StreamDeleted);
      expect((await again.append(deleted, several(1), 2)).revision).toBe(3);
      expect(await visible(again, deleted)).toEqual([3]);
    },
  },
];
