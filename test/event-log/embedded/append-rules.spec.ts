// The rules of expected revisions, case by case, on a stream with the events a, b, c.
import { describe, expect, it } from '@jest/globals';
import { judgeAppend, type StreamView, type Verdict } from '../../../src/event-log/embedded/append/append-rules.js';
import { tombstoneRevision } from '../../../src/event-log/embedded/storage/record.js';
import type { ExpectedRevision } from '../../../src/event-log/event-log.js';

const stored = ['a', 'b', 'c'];
const abc: StreamView = {
  last: 2,
  softDeleted: false,
  hasMetadata: false,
  idAt: (revision) => stored[revision],
  recentRevision: (id) => (stored.includes(id) ? stored.indexOf(id) : undefined),
};
const empty: StreamView = { ...abc, last: -1, idAt: () => undefined, recentRevision: () => undefined };
const forgotten: StreamView = { ...abc, recentRevision: () => undefined };

const write: Verdict = { kind: 'write' };
const wrong: Verdict = { kind: 'wrong-revision' };
const deleted: Verdict = { kind: 'deleted' };
const already = (last: number): Verdict => ({ kind: 'already', last });

const cases: readonly (readonly [string, StreamView, ExpectedRevision, string, Verdict])[] = [
  ['the actual revision', abc, 2, 'x', write],
  ['a revision ahead', abc, 3, 'x', wrong],
  ['no stream where there is none', empty, 'no_stream', 'x', write],
  ['a revision where there is no stream', empty, 0, 'x', wrong],
  ['no events, at the actual revision', abc, 2, '', write],
  ['no events, at one that is past', abc, 1, '', wrong],
  ['the same events again', abc, 0, 'bc', already(2)],
  ['the same events from the start', abc, 'no_stream', 'abc', already(2)],
  ['a part of them', abc, 'no_stream', 'ab', already(1)],
  ['the same events, nothing remembered but the log', forgotten, 'no_stream', 'abc', already(2)],
  ['another first event', abc, 0, 'xc', wrong],
  ['another later event', abc, 0, 'bx', wrong],
  ['more events than stand there', abc, 0, 'bcd', wrong],
  ['any', abc, 'any', 'x', write],
  ['any, on no stream', empty, 'any', 'x', write],
  ['any, known', abc, 'any', 'ab', already(1)],
  ['any, known in another order', abc, 'any', 'ca', already(0)],
  ['any, known then unknown', abc, 'any', 'ax', wrong],
  ['any, unknown then known', abc, 'any', 'xa', write],
  ['any, without events', abc, 'any', '', write],
  ['any, known once but forgotten', forgotten, 'any', 'ab', write],
  ['a stream that exists', abc, 'stream_exists', 'x', write],
  ['a stream that does not', empty, 'stream_exists', 'x', wrong],
  ['a stream that has metadata alone', { ...empty, hasMetadata: true }, 'stream_exists', 'x', write],
  ['any, soft-deleted', { ...abc, softDeleted: true }, 'any', 'x', write],
  ['no stream, soft-deleted', { ...abc, softDeleted: true }, 'no_stream', 'x', write],
  ['no stream, soft-deleted, its old events', { ...abc, softDeleted: true }, 'no_stream', 'ab', already(1)],
  ['no stream, soft-deleted, old then new', { ...abc, softDeleted: true }, 'no_stream', 'ax', wrong],
  ['the actual revision, soft-deleted', { ...abc, softDeleted: true }, 2, 'x', write],
  ['an old revision, soft-deleted', { ...abc, softDeleted: true }, 1, 'x', wrong],
  ['a stream that exists, soft-deleted', { ...abc, softDeleted: true }, 'stream_exists', 'x', deleted],
  ['any, tombstoned', { ...abc, last: tombstoneRevision }, 'any', 'a', deleted],
  ['no stream, tombstoned', { ...abc, last: tombstoneRevision }, 'no_stream', 'a', deleted],
  ['its own number, tombstoned', { ...abc, last: tombstoneRevision }, tombstoneRevision, 'x', deleted],
];

describe('an append is judged', () => {
  it.each(cases)('%s', (_, view, expected, ids, verdict) => {
    expect(
      judgeAppend(
        view,
        expected,
        Array.from(ids, (id) => ({ id })),
      ),
    ).toEqual(verdict);
  });
});
