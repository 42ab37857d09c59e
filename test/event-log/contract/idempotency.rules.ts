// The five cases of idempotency: an append repeated with the same event ids is the same append.
import { expect } from '@jest/globals';
import { WrongExpectedRevision } from '../../../src/event-log/event-log.js';
import { all, failure, ids, newStream, type Rule, several } from './rule.js';

export const idempotencyRules: readonly Rule[] = [
  {
    says: 'answers a repeated append with an expected revision as it did the first time, and writes nothing',
    async check({ log }) {
      const stream = newStream();
      const [first, second] = [several(2), several(3)];
      const results = [await log.append(stream, first, 'no_stream'), await log.append(stream, second, 1)];
      await log.append(stream, several(1), 4);
      expect([await log.append(stream, first, 'no_stream'), await log.append(stream, second, 1)]).toEqual(results);
      // A part of what stands there is there, too.
      expect((await log.append(stream, second.slice(0, 2), 1)).revision).toBe(3);
      expect(await all(log.readStream(stream))).toHaveLength(6);
    },
  },
  {
    says: 'refuses another first event at a revision that is past',
    async check({ log }) {
      const stream = newStream();
      const events = several(3);
      await log.append(stream, events, 'no_stream');
      expect(await failure(log.append(stream, several(1), 0))).toMatchObject({ actual: 2 });
      expect(await failure(log.append(stream, events.slice(1), 'no_stream'))).toBeInstanceOf(WrongExpectedRevision);
    },
  },
  {
    says: 'refuses an append whose later events are not the ones that stand there',
    async check({ log }) {
      const stream = newStream();
      const events = several(2);
      await log.append(stream, events, 'no_stream');
      const [first] = events as [(typeof events)[0]];
      expect(await failure(log.append(stream, [first, ...several(1)], 'no_stream'))).toBeInstanceOf(
        WrongExpectedRevision,
      );
      expect(await failure(log.append(stream, [...events, ...several(1)], 'no_stream'))).toBeInstanceOf(
        WrongExpectedRevision,
      );
      expect(ids(await all(log.readStream(stream)))).toEqual(ids(events));
    },
  },
  {
    says: 'answers a repeated append without an expected revision as it did the first time',
    async check({ log }) {
      const stream = newStream();
      const events = several(2);
      const result = await log.append(stream, events, 'any');
      await log.append(stream, several(1), 'any');
      expect(await log.append(stream, events, 'any')).toEqual(result);
      expect(await log.append(stream, events, 'stream_exists')).toEqual(result);
      expect(await all(log.readStream(stream))).toHaveLength(3);
    },
  },
  {
    says: 'refuses an append without an expected revision that is known only in part',
    async check({ log }) {
      const stream = newStream();
      const events = several(1);
      await log.append(stream, events, 'any');
      expect(await failure(log.append(stream, [...events, ...several(1)], 'any'))).toBeInstanceOf(
        WrongExpectedRevision,
      );
      expect(await all(log.readStream(stream))).toHaveLength(1);
    },
  },
  {
    says: 'takes the same id in another stream for another event',
    async check({ log }) {
      const [one, other, third] = [newStream(), newStream(), newStream()];
      const events = several(2);
      await log.append(one, events, 'no_stream');
      await log.append(other, events, 'no_stream');
      await log.append(third, events, 'any');
      for (const stream of [one, other, third]) expect(ids(await all(log.readStream(stream)))).toEqual(ids(events));
    },
  },
  {
    says: 'writes one event for many writers that send the same one at once',
    async check({ log }) {
      const stream = newStream();
      const events = several(2);
      const results = await Promise.all(Array.from({ length: 16 }, () => log.append(stream, events, 'no_stream')));
      for (const result of results) expect(result).toEqual(results[0]);
      expect(await all(log.readStream(stream))).toHaveLength(2);
    },
  },
  {
    says: 'remembers across a restart what stands at a revision',
    needsRestart: true,
    async check({ log, restart }) {
      const stream = newStream();
      const events = several(3);
      const result = await log.append(stream, events, 'no_stream');
      const after = (await restart?.()) ?? log;
      // They stand there before anything is repeated: an empty log would take the repetition for the first time.
      expect(ids(await all(after.readStream(stream)))).toEqual(ids(events));
      expect(await after.append(stream, events, 'no_stream')).toEqual(result);
      expect(await failure(after.append(stream, several(3), 'no_stream'))).toMatchObject({ actual: 2 });
      expect(ids(await all(after.readStream(stream)))).toEqual(ids(events));
    },
  },
];
