// Appending: expected revisions, atomicity, what is kept of an event, limits.
import { expect } from '@jest/globals';
import {
  type AppendResult,
  AppendTooLarge,
  type ExpectedRevision,
  type NewEvent,
  WrongExpectedRevision,
} from '../../../src/event-log/event-log.js';
import { all, binary, failure, ids, json, newStream, of, type Rule, revisions, several } from './rule.js';

export const appendRules: readonly Rule[] = [
  {
    says: 'numbers the events of a stream from 0 and answers with the last number and its position',
    async check({ log }) {
      const stream = newStream();
      const first = await log.append(stream, several(3), 'no_stream');
      const second = await log.append(stream, several(2), 2);
      expect([first.revision, second.revision]).toEqual([2, 4]);
      const stored = await all(log.readStream(stream));
      expect(revisions(stored)).toEqual([0, 1, 2, 3, 4]);
      expect([stored[2]?.position, stored[4]?.position]).toEqual([first.position, second.position]);
    },
  },
  {
    says: 'takes an exact revision only when it is the actual one, and names the actual one otherwise',
    async check({ log }) {
      const stream = newStream();
      await log.append(stream, several(3), 'no_stream');
      for (const expected of [0, 1, 3, 7]) {
        const refusal = await failure(log.append(stream, several(1), expected));
        expect(refusal).toBeInstanceOf(WrongExpectedRevision);
        expect(refusal).toMatchObject({
          stream,
          expected,
          actual: 2,
          code: 'wrong-expected-revision',
          retryable: false,
        });
      }
      expect(await failure(log.append(newStream(), several(1), 0))).toMatchObject({ actual: -1 });
      expect((await log.append(stream, several(1), 2)).revision).toBe(3);
    },
  },
  {
    says: 'takes no_stream only for a stream without events',
    async check({ log }) {
      const stream = newStream();
      await log.append(stream, several(1), 'no_stream');
      const refusal = await failure(log.append(stream, several(1), 'no_stream'));
      expect(refusal).toBeInstanceOf(WrongExpectedRevision);
      expect(refusal).toMatchObject({ expected: 'no_stream', actual: 0 });
    },
  },
  {
    says: 'takes stream_exists for a stream with events or with metadata alone, and for no other',
    async check({ log }) {
      const refusal = await failure(log.append(newStream(), several(1), 'stream_exists'));
      expect(refusal).toBeInstanceOf(WrongExpectedRevision);
      expect(refusal).toMatchObject({ expected: 'stream_exists', actual: -1 });
      const stream = newStream();
      await log.append(stream, several(1), 'no_stream');
      expect((await log.append(stream, several(1), 'stream_exists')).revision).toBe(1);
      const described = newStream();
      await log.setStreamMetadata(described, { maxCount: 10 });
      expect((await log.append(described, several(1), 'stream_exists')).revision).toBe(0);
    },
  },
  {
    says: 'takes any, whether the stream exists or not',
    async check({ log }) {
      const stream = newStream();
      expect((await log.append(stream, several(1), 'any')).revision).toBe(0);
      expect((await log.append(stream, several(1), 'any')).revision).toBe(1);
    },
  },
  {
    says: 'writes nothing of a refused append',
    async check({ log }) {
      const stream = newStream();
      const kept = several(1);
      const { position } = await log.append(stream, kept, 'no_stream');
      await failure(log.append(stream, several(3), 5));
      await failure(log.append(stream, several(3), 'no_stream'));
      expect(ids(await all(log.readStream(stream)))).toEqual(ids(kept));
      expect(of(stream, await all(log.readAll({ after: position })))).toEqual([]);
    },
  },
  {
    says: 'keeps the events of one append together and in order, however many write at once',
    async check({ log }) {
      const streams = Array.from({ length: 8 }, newStream);
      const before = await log.head();
      await Promise.all(streams.flatMap((stream) => [several(5), several(4)].map((e) => log.append(stream, e, 'any'))));
      const written = (await all(log.readAll({ after: before }))).filter((event) => streams.includes(event.stream));
      expect(written).toHaveLength(72);
      for (let at = 0; at < written.length; ) {
        const events = JSON.parse(Buffer.from(written[at]?.data ?? []).toString()) as { i: number };
        expect(events.i).toBe(0);
        const stream = written[at]?.stream;
        let length = 1;
        while (numberIn(written[at + length]?.data) === length) {
          expect(written[at + length]?.stream).toBe(stream);
          length += 1;
        }
        expect([4, 5]).toContain(length);
        at += length;
      }
    },
  },
  {
    says: 'takes an append without events: nothing is written, the expected revision still counts',
    async check({ log }) {
      const stream = newStream();
      expect((await log.append(stream, [], 'no_stream')).revision).toBe(-1);
      await log.append(stream, several(2), 'no_stream');
      expect((await log.append(stream, [], 1)).revision).toBe(1);
      expect(await failure(log.append(stream, [], 4))).toBeInstanceOf(WrongExpectedRevision);
      expect(await failure(log.append(stream, [], 0))).toBeInstanceOf(WrongExpectedRevision);
      expect(await all(log.readStream(stream))).toHaveLength(2);
    },
  },
  {
    says: 'appends to many streams in one call and answers in the order asked',
    async check({ log }) {
      const streams = Array.from({ length: 20 }, newStream);
      await log.append(streams[3] as string, several(4), 'no_stream');
      const results = await log.appendMany(
        streams.map((stream, i) => ({ stream, events: several(i + 1), expected: i === 3 ? 3 : 'no_stream' })),
      );
      expect(results.map((result) => result.revision)).toEqual(streams.map((_, i) => (i === 3 ? 7 : i)));
      for (const [i, stream] of streams.entries()) {
        const stored = await all(log.readStream(stream));
        expect(stored.at(-1)?.position).toBe(results[i]?.position);
        expect(stored).toHaveLength((results[i]?.revision ?? -1) + 1);
      }
    },
  },
  {
    says: 'where all appends of one call are one commit, a refused one takes the others with it',
    async check({ log, allOrNothing }) {
      if (!allOrNothing) return;
      const [good, bad] = [newStream(), newStream()];
      const refusal = await failure(
        log.appendMany([
          { stream: good, events: several(2), expected: 'no_stream' },
          { stream: bad, events: several(1), expected: 5 },
        ]),
      );
      expect(refusal).toMatchObject({ stream: bad, actual: -1 });
      expect(await all(log.readStream(good))).toEqual([]);
      expect((await log.append(good, several(1), 'no_stream')).revision).toBe(0);
    },
  },
  {
    says: 'gives back what it was given: id, type, content type, data and metadata, JSON and bytes',
    async check({ log }) {
      const stream = `${newStream()} ünï/код`;
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
      const given = [
        json({ text: 'ßü 漢字 😀', big: 9007199254740991, list: [null, true, -0.5] }, 'TypeÜ'),
        binary(bytes),
        binary(new Uint8Array(0), 'Empty'),
        { ...binary(bytes), metadata: bytes },
      ];
      const began = Date.now();
      await log.append(stream, given, 'no_stream');
      const stored = await all(log.readStream(stream));
      expect(stored).toHaveLength(given.length);
      for (const [i, event] of stored.entries()) {
        expect(event).toMatchObject({ stream, revision: i, id: given[i]?.id, type: given[i]?.type });
        expect(event.contentType).toBe(given[i]?.contentType);
        expect(Math.abs(event.recordedAt - began)).toBeLessThan(3_600_000);
        const text = Buffer.from(event.data).toString();
        if (event.contentType === 'application/json') {
          expect(JSON.parse(text)).toEqual(JSON.parse(Buffer.from(given[i]?.data ?? []).toString()));
        } else {
          expect(Buffer.from(event.data).equals(given[i]?.data ?? new Uint8Array(0))).toBe(true);
        }
        expect(Buffer.from(event.metadata).equals(given[i]?.metadata ?? new Uint8Array(0))).toBe(true);
      }
    },
  },
  {
    says: 'takes an append at the size limit and refuses one a byte over it',
    async check({ log, appendBytesMax }) {
      const stream = newStream();
      const type = 'Large';
      const fits = new Uint8Array(appendBytesMax - 2 * type.length).fill(7);
      await log.append(stream, [binary(fits, type)], 'no_stream');
      const [stored] = await all(log.readStream(stream));
      expect(Buffer.from(stored?.data ?? []).equals(fits)).toBe(true);
      const refusal = await failure(log.append(stream, [binary(new Uint8Array(fits.length + 1), type)], 0));
      expect(refusal).toBeInstanceOf(AppendTooLarge);
      expect(refusal).toMatchObject({ code: 'append-too-large', limitBytes: appendBytesMax, retryable: false });
      const halves = [1, 2].map(() => binary(new Uint8Array(fits.length / 2 + 100), type));
      expect(await failure(log.append(stream, halves, 0))).toBeInstanceOf(AppendTooLarge);
      expect(await all(log.readStream(stream))).toHaveLength(1);
    },
  },
  {
    says: 'refuses at once what can be no append, and the appends beside it are written all the same',
    async check({ log }) {
      const [event] = several(1) as [NewEvent];
      const impossible: readonly (readonly [string, NewEvent, ExpectedRevision])[] = [
        [newStream(), event, -1],
        [newStream(), event, 0.5],
        [newStream(), event, 2 ** 53],
        [newStream(), { ...event, id: 'no UUID' }, 'any'],
        [newStream(), { ...event, type: '' }, 'any'],
        [newStream(), { ...event, type: 't'.repeat(20_000) }, 'any'],
        ['', event, 'any'],
        [`${newStream()}${'ü'.repeat(1_024)}`, event, 'any'],
      ];
      const beside: Promise<AppendResult>[] = [];
      const refused: Promise<unknown>[] = [];
      for (const [stream, wrong, expected] of impossible) {
        beside.push(log.append(newStream(), several(1), 'no_stream'));
        refused.push(failure(log.append(stream, [wrong], expected)));
        beside.push(log.append(newStream(), several(1), 'no_stream'));
      }
      for (const refusal of await Promise.all(refused)) {
        expect(refusal).toMatchObject({ code: 'invalid-append', retryable: false });
      }
      for (const { revision } of await Promise.all(beside)) expect(revision).toBe(0);
      const good = newStream();
      const many = log.appendMany([
        { stream: good, events: several(1), expected: 'no_stream' },
        { stream: newStream(), events: [{ ...event, id: '' }], expected: 'no_stream' },
      ]);
      expect(await failure(many)).toMatchObject({ code: 'invalid-append' });
      expect(await all(log.readStream(good))).toEqual([]);
      for (const remove of [log.deleteStream('', 'any'), log.tombstoneStream(newStream(), -1)]) {
        expect(await failure(remove)).toMatchObject({ code: 'invalid-append', retryable: false });
      }
    },
  },
  {
    says: 'lets exactly one of many writers have a revision',
    async check({ log }) {
      const stream = newStream();
      await log.append(stream, several(1), 'no_stream');
      for (let revision = 0; revision < 3; revision++) {
        const tries = await Promise.allSettled(
          Array.from({ length: 64 }, () => log.append(stream, several(1), revision)),
        );
        const refusals = tries.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason as unknown] : []));
        expect(refusals).toHaveLength(63);
        for (const refusal of refusals) expect(refusal).toMatchObject({ actual: revision + 1 });
      }
      expect(await all(log.readStream(stream))).toHaveLength(4);
    },
  },
];

function numberIn(data: Uint8Array | undefined): number {
  return data === undefined ? -1 : (JSON.parse(Buffer.from(data).toString()) as { i: number }).i;
}
