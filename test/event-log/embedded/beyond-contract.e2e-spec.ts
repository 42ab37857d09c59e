// What the embedded log offers beyond the contract: EventStoreDB's own rules of position, system events, raw metadata.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EmbeddedEventLog } from '../../../src/event-log/embedded/embedded-event-log.js';
import { tombstoneRevision } from '../../../src/event-log/embedded/storage/record.js';
import { type LogEvent, StreamDeleted } from '../../../src/event-log/event-log.js';
import { all, json, newStream, several } from '../contract/rule.js';
import { type TemporaryDirectory, temporaryDirectory } from '../temporary-directory.js';

describe('the embedded log beyond the contract', () => {
  let temporary: TemporaryDirectory;
  let log: EmbeddedEventLog;
  let clock = 1_800_000_000_000;
  beforeAll(async () => {
    temporary = temporaryDirectory();
    log = await EmbeddedEventLog.open(temporary.path, { segmentBytes: 3_000, indexRunEvents: 10, now: () => clock });
    for (let i = 0; i < 30; i++) await log.append(`s-${i % 3}`, several(2), 'any');
    await log.setStreamMetadata('s-0', { maxCount: 3 });
  });
  afterAll(async () => {
    await log.close();
    temporary.remove();
  });

  const everything = (): Promise<LogEvent[]> => all(log.readEverything({ direction: 'forwards' }));
  const text = (event: LogEvent | undefined): string => Buffer.from(event?.data ?? []).toString();

  it('reads everything with system events, forwards from a position with it, backwards without it', async () => {
    const events = await everything();
    expect(events.map((event) => event.type)).toContain('$metadata');
    for (const [i, { position }] of events.entries()) {
      const forwards = await all(log.readEverything({ direction: 'forwards', from: position, limit: 3 }));
      expect(forwards).toEqual(events.slice(i, i + 3));
      const backwards = await all(log.readEverything({ direction: 'backwards', from: position, limit: 3 }));
      expect(backwards).toEqual(events.slice(Math.max(0, i - 3), i).toReversed());
    }
    expect(await all(log.readEverything({ direction: 'backwards' }))).toEqual(events.toReversed());
  });

  it('takes any number for a position: reading goes on from the nearest event', async () => {
    const events = await everything();
    for (let from = -1n; from < (events.at(-1)?.position ?? 0n) + 500n; from += 97n) {
      const next = events.findIndex((event) => event.position >= from);
      const wanted = next < 0 ? [] : events.slice(next, next + 2);
      expect(await all(log.readEverything({ direction: 'forwards', from, limit: 2 }))).toEqual(wanted);
      const before = next < 0 ? events : events.slice(0, next);
      expect(await all(log.readEverything({ direction: 'backwards', from, limit: 2 }))).toEqual(
        before.toReversed().slice(0, 2),
      );
    }
  });

  it('follows everything with system events', async () => {
    const stream = newStream();
    const after = await log.head();
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const page of log.subscribeEverything({ after, signal: stop.signal })) {
      if (page.kind === 'events')
        seen.push(...page.events.map((event) => `${event.stream.replace(stream, 'it')} ${event.type}`));
      else if (seen.length === 0) {
        await log.append(stream, several(1), 'no_stream');
        await log.tombstoneStream(stream, 0);
      } else stop.abort();
    }
    expect(seen).toEqual(['it ContractEvent', 'it $streamDeleted']);
    expect(log.tombstone(stream)).toMatchObject({ type: '$streamDeleted', revision: tombstoneRevision });
    expect(log.tombstone('s-1')).toBeUndefined();
  });

  it('says how a stream stands', async () => {
    expect(log.streamInfo('s-0')).toEqual({ status: 'live', firstRevision: 17, lastRevision: 19 });
    expect(log.streamInfo('never')).toEqual({ status: 'missing', firstRevision: 0, lastRevision: -1 });
    const stream = newStream();
    await log.setStreamMetadata(stream, { maxCount: 1 });
    expect(log.streamInfo(stream).status).toBe('missing');
    await log.append(stream, several(4), 'any');
    await log.deleteStream(stream, 'any');
    expect(log.streamInfo(stream)).toEqual({ status: 'soft-deleted', firstRevision: 4, lastRevision: 3 });
    await log.tombstoneStream(stream, 3);
    expect(log.streamInfo(stream).status).toBe('tombstoned');
    expect(log.streamInfo(`$$${stream}`).status).toBe('tombstoned');
  });

  it('gives one event as a reader of the stream sees it', async () => {
    const stream = newStream();
    await log.append(stream, several(4), 'no_stream');
    expect(log.readEvent(stream, 2)).toMatchObject({ stream, revision: 2 });
    expect([log.readEvent(stream, 4), log.readEvent('never', 0)]).toEqual([undefined, undefined]);
    await log.setStreamMetadata(stream, { truncateBefore: 1, maxAgeSeconds: 60 });
    expect(log.readEvent(stream, 0)).toBeUndefined();
    expect(log.readEvent(stream, 1)).toBeDefined();
    clock += 61_000;
    expect(log.readEvent(stream, 1)).toBeUndefined();
  });

  it('keeps metadata as it was written, and all but the truncation mark when a stream comes back', async () => {
    const stream = newStream();
    await log.append(stream, several(2), 'no_stream');
    const written = '{ "$tb": 9223372036854775807, "$acl": {"$r": "$all"}, "mine": 12345678901234567890 }';
    await log.append(`$$${stream}`, [{ ...json(), type: '$metadata', data: Buffer.from(written) }], 'no_stream');
    expect(text(log.rawMetadata(stream))).toBe(written);
    expect(log.streamInfo(stream).status).toBe('soft-deleted');
    await log.append(stream, several(1), 'any');
    expect(text(log.rawMetadata(stream))).toBe(written.replace('9223372036854775807', '2'));
    expect(log.rawMetadata(stream)?.revision).toBe(1);
    expect(log.rawMetadata('never')).toBeUndefined();
    await log.tombstoneStream(stream, 'any');
    expect(() => log.rawMetadata(stream)).toThrow(StreamDeleted);
  });

  it('brings a soft-deleted stream back, empty, when metadata is written to it', async () => {
    const stream = newStream();
    await log.append(stream, several(3), 'no_stream');
    await log.deleteStream(stream, 2);
    expect(text(log.rawMetadata(stream))).toBe('{"$tb":9223372036854775807}');
    await log.append(`$$${stream}`, [{ ...json(), type: '$metadata', data: Buffer.from('{"mine":1}') }], 0);
    expect(text(log.rawMetadata(stream))).toBe('{"$tb":3,"mine":1}');
    expect(log.streamInfo(stream)).toEqual({ status: 'live', firstRevision: 3, lastRevision: 2 });
    expect(await all(log.readStream(stream))).toEqual([]);
    expect((await log.append(stream, several(1), 2)).revision).toBe(3);
    expect(await all(log.readStream(stream))).toHaveLength(1);
  });

  it('stamps events by its own clock', async () => {
    const stream = newStream();
    await log.append(stream, several(1), 'no_stream');
    expect((await all(log.readStream(stream)))[0]?.recordedAt).toBe(clock);
  });
});
