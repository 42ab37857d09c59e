// What a batch writes leads from what was stored to what its handlers did, one after the other.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DocumentOverlay } from '../../src/projector/fold/document-overlay.js';
import { SortedMembers } from '../../src/projector/fold/sorted-members.js';
import { MemorySink } from '../../src/projector/sinks/memory-sink.js';

const key = 'feed:ann';
const member = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g');
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ add: member, score: fc.integer({ min: 0, max: 5 }) }) },
  { weight: 3, arbitrary: fc.record({ remove: member }) },
  { weight: 3, arbitrary: fc.record({ trim: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.constant('delete' as const) },
);
const batches = fc.array(fc.record({ isRead: fc.boolean(), steps: fc.array(step, { maxLength: 12 }) }), {
  maxLength: 5,
});

describe('a sorted set in batches', () => {
  it('ends as if every change had been made on its own', () =>
    fc.assert(
      fc.asyncProperty(batches, fc.integer({ min: 0, max: 8 }), async (all, valuesMax) => {
        const sink = new MemorySink();
        const overlay = new DocumentOverlay('feed', () => true, valuesMax);
        let wanted = new SortedMembers();
        for (const [index, { isRead, steps }] of all.entries()) {
          const { checkpoint, loaded } = await sink.load([{ sorted: key }]);
          const [stored] = loaded;
          if (isRead && stored && !overlay.has(key)) overlay.learn(key, undefined, stored);
          for (const one of steps) {
            if (one === 'delete') {
              overlay.delete(key);
              wanted = new SortedMembers();
            } else if ('add' in one) {
              overlay.add(key, one.add, one.score);
              wanted.add(one.add, one.score);
            } else if ('remove' in one) {
              overlay.remove(key, one.remove);
              wanted.remove(one.remove);
            } else {
              overlay.trim(key, one.trim);
              wanted.trim(one.trim);
            }
          }
          if (overlay.has(key)) expect(overlay.range(key)).toEqual(wanted.range());
          const commands = overlay.commands('$changes', 10);
          await sink.commit({ expected: checkpoint, next: String(index), commands });
          overlay.settle();
          const { loaded: after } = await sink.load([{ sorted: key }]);
          expect(after).toEqual([{ kind: 'sorted', members: wanted.range() }]);
        }
      }),
      { numRuns: 500 },
    ));

  it('writes a member once a batch, however often it is put in and taken out', () => {
    const overlay = new DocumentOverlay('timers', () => true, 10);
    for (let round = 0; round < 100; round += 1) {
      overlay.remove('due:all', `timer ${round % 3}`);
      overlay.add('due:all', `timer ${round % 3}`, round);
    }
    expect(overlay.commands('$changes', 10)).toEqual([
      ['ZADD', 'due:all', '99', 'timer 0', '97', 'timer 1', '98', 'timer 2'],
    ]);
  });
});

describe('live changes', () => {
  it('are one entry for each event, with all that it changed', () => {
    const overlay = new DocumentOverlay('inbox', () => true, 10);
    overlay.at(7n);
    overlay.notify('ann', 'conversation', 'c:1');
    overlay.notify('bob', 'conversation', 'c:1');
    overlay.at(9n);
    overlay.notify('ann', 'conversation', 'c2');
    expect(overlay.commands('$changes', 10)).toEqual([
      ['XADD', '$changes', 'MAXLEN', '~', '10', '7-*', 'ann', 'conversation:c:1', 'bob', 'conversation:c:1'],
      ['XADD', '$changes', 'MAXLEN', '~', '10', '9-*', 'ann', 'conversation:c2'],
    ]);
  });
});
