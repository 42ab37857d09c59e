// Any sequence of calls gives what the model gives, with restarts in between and every border (files, index runs) near.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EmbeddedEventLog } from '../../../src/event-log/embedded/embedded-event-log.js';
import {
  EventLogError,
  type ExpectedRevision,
  type NewEvent,
  StreamDeleted,
} from '../../../src/event-log/event-log.js';
import { deriveId } from '../../../src/kernel/ids.js';
import { all, ids } from '../contract/rule.js';
import { temporaryDirectory } from '../temporary-directory.js';
import { LogModel, type Outcome } from './model.js';

const streamNames = ['a-1', 'b-ü'];
/** Few ids, so that repeats, partial repeats and the same id in two streams come about. */
const idPool = Array.from({ length: 12 }, (_, i) => deriveId('model', `${i}`));

const stream = fc.constantFrom(...streamNames);
const expected: fc.Arbitrary<ExpectedRevision> = fc.oneof(
  fc.constantFrom('any', 'no_stream', 'stream_exists'),
  fc.nat({ max: 6 }),
);
const appended = fc.uniqueArray(fc.constantFrom(...idPool), { maxLength: 3 });

const call = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('append'), stream, ids: appended, expected }) },
  // What an orderly writer does: the actual revision.
  { weight: 4, arbitrary: fc.record({ do: fc.constant('append-next'), stream, ids: appended }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('metadata'),
      stream,
      metadata: fc.record(
        { maxCount: fc.integer({ min: 1, max: 3 }), truncateBefore: fc.nat({ max: 5 }) },
        { requiredKeys: [] },
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('delete'), stream, expected: fc.oneof(fc.constant('any'), expected) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('tombstone'), stream, expected }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart') }) },
);
type Call =
  | { do: 'append'; stream: string; ids: string[]; expected: ExpectedRevision }
  | { do: 'append-next'; stream: string; ids: string[] }
  | { do: 'metadata'; stream: string; metadata: { maxCount?: number; truncateBefore?: number } }
  | { do: 'delete' | 'tombstone'; stream: string; expected: ExpectedRevision }
  | { do: 'restart' };

function eventOf(id: string): NewEvent {
  return {
    id,
    type: 'Modelled',
    contentType: 'application/json',
    data: Buffer.from('{}'),
    metadata: new Uint8Array(0),
  };
}

async function outcome(answer: Promise<{ revision: number } | bigint>): Promise<Outcome | 'done'> {
  try {
    const result = await answer;
    return typeof result === 'bigint' ? 'done' : { revision: result.revision };
  } catch (error) {
    if (!(error instanceof EventLogError)) throw error;
    if (error.code === 'stream-deleted') return { refused: 'stream-deleted' };
    if (error.code !== 'wrong-expected-revision') throw error;
    return { refused: 'wrong-expected-revision', actual: (error as EventLogError & { actual: number }).actual };
  }
}

function unlessRefused(wanted: Outcome): Outcome | 'done' {
  return 'refused' in wanted ? wanted : 'done';
}

async function compareCall(
  log: EmbeddedEventLog,
  model: LogModel,
  made: Exclude<Call, { do: 'restart' }>,
): Promise<void> {
  switch (made.do) {
    case 'append':
      expect(await outcome(log.append(made.stream, made.ids.map(eventOf), made.expected))).toEqual(
        model.append(made.stream, made.ids, made.expected),
      );
      return;
    case 'append-next': {
      const last = model.stream(made.stream).events.length - 1;
      const at = last < 0 ? 'no_stream' : last;
      expect(await outcome(log.append(made.stream, made.ids.map(eventOf), at))).toEqual(
        model.append(made.stream, made.ids, at),
      );
      return;
    }
    case 'metadata':
      expect(await outcome(log.setStreamMetadata(made.stream, made.metadata))).toEqual(
        model.setMetadata(made.stream, made.metadata),
      );
      return;
    case 'delete':
      expect(await outcome(log.deleteStream(made.stream, made.expected))).toEqual(
        unlessRefused(model.delete(made.stream, made.expected)),
      );
      return;
    case 'tombstone':
      expect(await outcome(log.tombstoneStream(made.stream, made.expected))).toEqual(
        unlessRefused(model.tombstone(made.stream, made.expected)),
      );
  }
}

async function compareReads(log: EmbeddedEventLog, model: LogModel): Promise<void> {
  for (const name of streamNames) {
    const wanted = model.visible(name);
    if (wanted === undefined) {
      await expect(all(log.readStream(name))).rejects.toBeInstanceOf(StreamDeleted);
      continue;
    }
    expect(ids(await all(log.readStream(name)))).toEqual(wanted);
    expect(ids(await all(log.readStream(name, { direction: 'backwards' })))).toEqual(wanted.toReversed());
  }
  expect(ids(await all(log.readAll()))).toEqual(model.everything);
  expect(ids(await all(log.readAll({ direction: 'backwards' })))).toEqual(model.everything.toReversed());
}

describe('the embedded log against the model', () => {
  it('gives the same answers and the same events for any sequence of calls', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call as fc.Arbitrary<Call>, { maxLength: 40, size: 'max' }), async (calls) => {
        const directory = temporaryDirectory();
        const options = { segmentBytes: 600, indexRunEvents: 3, durable: false };
        let log = await EmbeddedEventLog.open(directory.path, options);
        const model = new LogModel();
        try {
          for (const made of calls) {
            if (made.do !== 'restart') {
              await compareCall(log, model, made);
              continue;
            }
            await log.close();
            log = await EmbeddedEventLog.open(directory.path, options);
            model.restart();
          }
          await compareReads(log, model);
        } finally {
          await log.close();
          directory.remove();
        }
      }),
      { numRuns: 100 },
    );
  });
});
