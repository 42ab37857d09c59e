// Many requests, few appends; bounded; nothing lost when a write fails and nothing doubled when it is sent again.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ObservationWriter, streamOf } from '../../src/commands/observations/observation-writer.js';
import { observationStreams } from '../../src/domain/observation/observation.events.js';
import { LogUnavailable } from '../../src/event-log/event-log.js';
import { deriveId } from '../../src/kernel/ids.js';
import { contextOf, storeOn } from '../event-log/account.js';
import { MemoryLog } from '../event-log/memory-log.js';

function item(name: string) {
  const id = deriveId('observation', 'test', name);
  const data = { sessionId: name, memberId: 'anna', engagedMs: 5 };
  const { commandId: _, ...metadata } = contextOf();
  return {
    observation: { type: 'SessionEnded', data, id, occurredAt: '2026-01-01T00:00:00.000Z' } as const,
    metadata: { ...metadata, clientEventId: name },
  };
}
const writerOn = (log: MemoryLog, bytesMax = 10_000_000) => new ObservationWriter(storeOn(log), bytesMax);
const written = (log: MemoryLog) => log.events.map(({ id }) => id);

describe('the observation writer', () => {
  it('spreads over the streams, the same id always to the same', () => {
    const streams = new Set(Array.from({ length: 1_000 }, (_, n) => streamOf(item(`s${n}`).observation.id)));
    expect(streams.size).toBe(observationStreams);
  });

  it('writes what many requests bring in few appends', async () => {
    const log = new MemoryLog();
    let appends = 0;
    log.fault = async (when) => {
      if (when === 'before') appends += 1;
    };
    const writer = writerOn(log);
    const requests = Array.from({ length: 200 }, (_, n) => writer.write([item(`a${n}`), item(`b${n}`)]));
    const answers = await Promise.all(requests);
    expect(answers.flatMap(({ outcomes }) => outcomes)).toEqual(Array(400).fill('accepted'));
    expect(log.events).toHaveLength(400);
    expect(appends).toBeLessThanOrEqual(2 * observationStreams);
    expect(writer.queuedBytes).toBe(0);
  });

  it('answers in the order of the items', async () => {
    const writer = writerOn(new MemoryLog());
    await writer.write([item('x')]);
    const { outcomes } = await writer.write([item('y'), item('x'), item('z'), item('y')]);
    expect(outcomes).toEqual(['accepted', 'duplicate', 'accepted', 'duplicate']);
  });

  it('refuses what does not fit, before it writes any of it', async () => {
    const log = new MemoryLog();
    const writer = writerOn(log, 5_000);
    const first = writer.write(Array.from({ length: 5 }, (_, n) => item(`f${n}`)));
    await expect(writer.write(Array.from({ length: 5 }, (_, n) => item(`g${n}`)))).rejects.toMatchObject({
      code: 'queue-full',
    });
    await first;
    expect(log.events).toHaveLength(5);
    await writer.write([item('g0')]);
    expect(log.events).toHaveLength(6);
  });

  it('takes a request that is larger than the queue when nothing else waits', async () => {
    const log = new MemoryLog();
    await writerOn(log, 1_000).write(Array.from({ length: 50 }, (_, n) => item(`l${n}`)));
    expect(log.events).toHaveLength(50);
  });

  it('tells every request of a failed append, and goes on', async () => {
    const log = new MemoryLog();
    const writer = writerOn(log);
    log.fault = async (when) => {
      if (when === 'after') throw new LogUnavailable('lost on the way back');
    };
    const failed = await Promise.allSettled([writer.write([item('p')]), writer.write([item('q')])]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    log.fault = async () => {};
    // They had been written: sent again they are known.
    const { outcomes } = await writer.write([item('p'), item('q'), item('r')]);
    expect(outcomes).toEqual(['duplicate', 'duplicate', 'accepted']);
    expect(writer.queuedBytes).toBe(0);
  });

  it('never writes an observation twice, whatever is repeated, fails or restarts', async () => {
    const names = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 8 });
    const request = fc.record({
      names,
      fault: fc.constantFrom('none', 'none', 'before', 'after'),
      restart: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 20 }), async (requests) => {
        const log = new MemoryLog();
        let writer = writerOn(log);
        const acknowledged = new Set<string>();
        for (const { names: sent, fault, restart } of requests) {
          if (restart) writer = writerOn(log);
          let planted = fault !== 'none';
          log.fault = async (when) => {
            if (!planted || when !== fault) return;
            planted = false;
            throw new LogUnavailable('planted');
          };
          const items = sent.map((n) => item(`n${n}`));
          const done = await writer.write(items).catch((error: unknown) => {
            if (!(error instanceof LogUnavailable)) throw error;
          });
          if (done) for (const { observation } of items) acknowledged.add(observation.id);
        }
        const ids = written(log);
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids).toEqual(expect.arrayContaining([...acknowledged]));
      }),
    );
  });
});
