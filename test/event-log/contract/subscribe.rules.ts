// Subscribing: from anywhere, catching up and then live, in order, nothing twice, at the pace of the consumer.
import { expect } from '@jest/globals';
import { StreamDeleted } from '../../../src/event-log/event-log.js';
import { failure, follow, ids, json, newStream, of, type Rule, revisions, several } from './rule.js';

export const subscribeRules: readonly Rule[] = [
  {
    says: 'gives everything after a position, then what is appended, in order and once',
    async check(subject) {
      const { log } = subject;
      const stream = newStream();
      const { position: after } = await log.append(stream, several(1), 'no_stream');
      const old = several(700);
      await log.append(stream, old, 0);
      const live = several(30);
      let written = 0;
      const seen = await follow(
        subject,
        (signal) => log.subscribeAll({ after, signal }),
        async ({ events, caughtUpAt }) => {
          if (caughtUpAt.length > 0 && written < live.length) {
            await log.append(stream, live.slice(written, written + 10), 'any');
            written += 10;
          }
          return of(stream, events).length >= old.length + live.length;
        },
      );
      expect(ids(of(stream, seen.events))).toEqual(ids([...old, ...live]));
      expect(of(stream, seen.events.slice(0, seen.caughtUpAt[0]))).toHaveLength(old.length);
    },
  },
  {
    says: 'begins at the start when no position is given',
    async check(subject) {
      const { log } = subject;
      const stream = newStream();
      const events = several(2);
      await log.append(stream, events, 'no_stream');
      const seen = await follow(
        subject,
        (signal) => log.subscribeAll({ signal }),
        ({ caughtUpAt }) => caughtUpAt.length > 0,
      );
      expect(ids(of(stream, seen.events))).toEqual(ids(events));
    },
  },
  {
    says: 'says each time that it has caught up with the head, and up to where',
    async check(subject) {
      const { log } = subject;
      const after = await log.head();
      const marks: bigint[] = [];
      const heads: bigint[] = [];
      await follow(
        subject,
        async function* (signal) {
          for await (const page of log.subscribeAll({ after, signal })) {
            if (page.kind === 'caught-up') marks.push(page.position);
            yield page;
          }
        },
        async ({ caughtUpAt }) => {
          if (caughtUpAt.length > heads.length) heads.push((await log.append(newStream(), several(1), 'any')).position);
          return caughtUpAt.length >= 3;
        },
      );
      expect(marks[0]).toBeGreaterThanOrEqual(after);
      for (let i = 1; i < 3; i++) expect(marks[i]).toBeGreaterThanOrEqual(heads[i - 1] ?? 0n);
    },
  },
  {
    says: 'leaves system events out of a subscription to everything',
    async check(subject) {
      const { log } = subject;
      const stream = newStream();
      const after = await log.head();
      await log.append(stream, [json({}, '$of-the-system'), json({}, 'of-mine')], 'no_stream');
      await log.setStreamMetadata(stream, { maxCount: 5 });
      const seen = await follow(
        subject,
        (signal) => log.subscribeAll({ after, signal }),
        ({ caughtUpAt }) => caughtUpAt.length > 0,
      );
      expect(of(stream, seen.events).map((event) => event.type)).toEqual(['of-mine']);
      expect(seen.events.filter((event) => event.type.startsWith('$'))).toEqual([]);
    },
  },
  {
    says: 'waits for a slow consumer: it gets every event, in order, while others write',
    async check(subject) {
      const { log } = subject;
      const stream = newStream();
      const after = await log.head();
      const count = 1_500;
      const writing = (async () => {
        for (let at = 0; at < count; at += 50) await log.append(stream, several(50), 'any');
      })();
      const seen = await follow(
        subject,
        (signal) => log.subscribeAll({ after, signal }),
        async ({ events }) => {
          for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
          return of(stream, events).length >= count;
        },
      );
      await writing;
      expect(revisions(of(stream, seen.events))).toEqual(Array.from({ length: count }, (_, i) => i));
    },
  },
  {
    says: 'ends when its signal aborts, also while it waits',
    async check({ log, patienceMs }) {
      for (const subscribe of [
        (signal: AbortSignal) => log.subscribeAll({ signal }),
        (signal: AbortSignal) => log.subscribeStream(newStream(), { signal }),
      ]) {
        const stop = new AbortController();
        const ended = (async () => {
          for await (const page of subscribe(stop.signal))
            if (page.kind === 'caught-up') setImmediate(() => stop.abort());
          return 'ended';
        })();
        const late = new Promise((resolve) => setTimeout(resolve, patienceMs, 'still waiting').unref());
        expect(await Promise.race([ended, late])).toBe('ended');
      }
    },
  },
  {
    says: 'follows one stream from after a revision, then live',
    async check(subject) {
      const { log } = subject;
      const stream = newStream();
      await log.append(stream, several(600), 'no_stream');
      let wrote = false;
      const seen = await follow(
        subject,
        (signal) => log.subscribeStream(stream, { after: 9, signal }),
        async ({ events, caughtUpAt }) => {
          if (caughtUpAt.length > 0 && !wrote) {
            wrote = true;
            await log.append(newStream(), several(3), 'any');
            await log.append(stream, several(5), 599);
          }
          return events.length >= 595;
        },
      );
      expect(revisions(seen.events)).toEqual(Array.from({ length: 595 }, (_, i) => i + 10));
      expect(of(stream, seen.events)).toHaveLength(595);
      expect(seen.caughtUpAt[0]).toBe(590);
    },
  },
  {
    says: 'waits for a stream that does not exist yet',
    async check(subject) {
      const { log } = subject;
      const stream = newStream();
      const events = several(2);
      const seen = await follow(
        subject,
        (signal) => log.subscribeStream(stream, { signal }),
        async (so) => {
          if (so.caughtUpAt.length === 1 && so.events.length === 0) await log.append(stream, events, 'no_stream');
          return so.events.length >= 2;
        },
      );
      expect(ids(seen.events)).toEqual(ids(events));
      expect(seen.caughtUpAt[0]).toBe(0);
    },
  },
  {
    says: 'fails a subscription to a stream that is tombstoned',
    async check(subject) {
      const { log } = subject;
      const stream = newStream();
      await log.append(stream, several(1), 'no_stream');
      const ended = follow(
        subject,
        (signal) => log.subscribeStream(stream, { signal }),
        async ({ caughtUpAt }) => {
          if (caughtUpAt.length === 1) await log.tombstoneStream(stream, 'any');
          return false;
        },
      );
      expect(await failure(ended)).toBeInstanceOf(StreamDeleted);
    },
  },
];
