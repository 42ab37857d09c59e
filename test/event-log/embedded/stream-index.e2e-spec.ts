// The index on disk says what a map in memory says: whatever streams, however runs are cut and merged, before and after
// it is opened again.

import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { StreamIndex } from '../../../src/event-log/embedded/index/stream-index.js';
import { streamKey } from '../../../src/event-log/embedded/index/stream-key.js';
import { tombstoneRevision } from '../../../src/event-log/embedded/storage/record.js';
import { temporaryDirectory } from '../temporary-directory.js';

const logId = Buffer.alloc(16, 7);

function fail(warning: string): never {
  throw new Error(warning);
}

function open(directory: string, runEvents: number): StreamIndex {
  return StreamIndex.open({ directory, logId, durable: false, runEvents, warn: (warning) => fail(warning) });
}

/** A stream of each kind: short name, long name (kept as a digest), names that differ in one letter. */
const streamNames = ['s', 'ü', `${'long-'.repeat(60)}a`, `${'long-'.repeat(60)}b`, 'conversation-1', 'conversation-2'];

describe('the stream index', () => {
  it('finds every event, and none that was not added', async () => {
    const additions = fc.array(fc.record({ stream: fc.nat({ max: 30 }), count: fc.integer({ min: 1, max: 40 }) }), {
      maxLength: 60,
      size: 'max',
    });
    await fc.assert(
      fc.asyncProperty(additions, fc.integer({ min: 1, max: 60 }), async (added, runEvents) => {
        const temporary = temporaryDirectory();
        const wanted = new Map<string, number[]>();
        let position = 64;
        try {
          let index = open(temporary.path, runEvents);
          for (const { stream, count } of added) {
            const name = streamNames[stream] ?? `stream-${stream}`;
            const positions = wanted.get(name) ?? [];
            wanted.set(name, positions);
            for (let i = 0; i < count; i++) {
              index.add(name, positions.length, position);
              positions.push(position);
              position += 100;
            }
            await index.settle(position);
          }
          compare(index, wanted);
          await index.close();
          index = open(temporary.path, runEvents);
          const kept = new Map([...wanted].map(([name, all]) => [name, all.filter((at) => at < index.from)]));
          compare(index, kept);
          await index.close();
        } finally {
          temporary.remove();
        }
      }),
      { numRuns: 40 },
    );
  });

  function compare(index: StreamIndex, wanted: ReadonlyMap<string, readonly number[]>): void {
    for (const [name, positions] of wanted) {
      expect(index.lastRevision(name)).toBe(positions.length - 1);
      for (const [revision, at] of positions.entries()) expect(index.position(name, revision)).toBe(at);
      expect(index.position(name, positions.length)).toBeUndefined();
      expect(index.stretch(name, positions.length)).toBeUndefined();
    }
    expect(index.lastRevision('never')).toBe(-1);
    expect(index.position('never', 0)).toBeUndefined();
  }

  it('merges runs, so that their number grows with the logarithm of the events, and leaves no old file', async () => {
    const temporary = temporaryDirectory();
    let index = open(temporary.path, 100);
    const events = 20_000;
    for (let i = 0; i < events; i++) {
      index.add(`stream-${i % 333}`, Math.floor(i / 333), 64 + i * 10);
      if (i % 50 === 49) await index.settle(64 + (i + 1) * 10);
    }
    // Merging goes on behind; what is left of it is done by the time the next runs are asked for.
    for (let more = 0; more < 400 && index.onDisk.length > 21; more++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(index.onDisk.length).toBeLessThanOrEqual(21);
    await index.close();
    index = open(temporary.path, 100);
    expect(readdirSync(temporary.path)).toHaveLength(index.onDisk.length);
    for (let i = 0; i < events; i += 7) {
      if (64 + i * 10 < index.from) expect(index.position(`stream-${i % 333}`, Math.floor(i / 333))).toBe(64 + i * 10);
    }
    await index.close();
    temporary.remove();
  });

  it('keeps a tombstone beside the events', async () => {
    const temporary = temporaryDirectory();
    const index = open(temporary.path, 2);
    index.add('gone', 0, 64);
    await index.settle(100);
    index.add('gone', tombstoneRevision, 164);
    index.add('other', 0, 264);
    await index.settle(300);
    index.add('other', 1, 364);
    await index.settle(400);
    expect(index.lastRevision('gone')).toBe(tombstoneRevision);
    expect([index.position('gone', 0), index.position('gone', tombstoneRevision)]).toEqual([64, 164]);
    await index.close();
    temporary.remove();
  });

  it('spreads keys over 64 bits', () => {
    const keys = new Set<string>();
    for (let i = 0; i < 50_000; i++) {
      const { high, low } = streamKey(`conversation-${i}`);
      keys.add(`${high}:${low}`);
    }
    expect(keys.size).toBe(50_000);
  });
});
