// Reading: a stream or everything, either way, from anywhere, with limits.
import { expect } from '@jest/globals';
import { all, failure, ids, json, newStream, of, type Rule, revisions, several } from './rule.js';

export const readRules: readonly Rule[] = [
  {
    says: 'reads a stream forwards from any revision, that one included, up to a limit',
    async check({ log }) {
      const stream = newStream();
      const events = several(7);
      await log.append(stream, events, 'no_stream');
      const read = async (from?: number, limit?: number): Promise<number[]> =>
        revisions(
          await all(
            log.readStream(stream, { ...(from !== undefined && { from }), ...(limit !== undefined && { limit }) }),
          ),
        );
      expect(await read()).toEqual([0, 1, 2, 3, 4, 5, 6]);
      expect(await read(0, 1)).toEqual([0]);
      expect(await read(3)).toEqual([3, 4, 5, 6]);
      expect(await read(2, 3)).toEqual([2, 3, 4]);
      expect(await read(6, 10)).toEqual([6]);
      expect(await read(7)).toEqual([]);
      expect(await read(undefined, 2)).toEqual([0, 1]);
      expect(ids(await all(log.readStream(stream)))).toEqual(ids(events));
    },
  },
  {
    says: 'reads a stream backwards from any revision, that one included, up to a limit',
    async check({ log }) {
      const stream = newStream();
      await log.append(stream, several(7), 'no_stream');
      const read = async (from?: number, limit?: number): Promise<number[]> =>
        revisions(
          await all(
            log.readStream(stream, {
              direction: 'backwards',
              ...(from !== undefined && { from }),
              ...(limit !== undefined && { limit }),
            }),
          ),
        );
      expect(await read()).toEqual([6, 5, 4, 3, 2, 1, 0]);
      expect(await read(undefined, 1)).toEqual([6]);
      expect(await read(3)).toEqual([3, 2, 1, 0]);
      expect(await read(3, 2)).toEqual([3, 2]);
      expect(await read(0)).toEqual([0]);
    },
  },
  {
    says: 'reads a stream longer than any page whole, both ways',
    async check({ log }) {
      const stream = newStream();
      const count = 1_300;
      for (let at = 0; at < count; at += 100) await log.append(stream, several(100), at === 0 ? 'no_stream' : at - 1);
      const forwards = await all(log.readStream(stream));
      expect(revisions(forwards)).toEqual(Array.from({ length: count }, (_, i) => i));
      const backwards = await all(log.readStream(stream, { direction: 'backwards' }));
      expect(ids(backwards)).toEqual(ids(forwards).toReversed());
      expect(await all(log.readStream(stream, { limit: 1_111 }))).toHaveLength(1_111);
    },
  },
  {
    says: 'gives no page for a stream that does not exist',
    async check({ log }) {
      let pages = 0;
      for await (const page of log.readStream(newStream())) pages += page.length + 1;
      for await (const page of log.readStream(newStream(), { direction: 'backwards' })) pages += page.length + 1;
      expect(pages).toBe(0);
    },
  },
  {
    says: 'reads everything in the order it was written, from after any position, up to a limit',
    async check({ log }) {
      const streams = [newStream(), newStream()];
      const before = await log.head();
      for (let i = 0; i < 6; i++) await log.append(streams[i % 2] as string, several(2), 'any');
      const mine = (await all(log.readAll({ after: before }))).filter((event) => streams.includes(event.stream));
      expect(mine.map((event) => [event.stream, event.revision])).toEqual(
        Array.from({ length: 12 }, (_, i) => [streams[(i >> 1) % 2], (i >> 2) * 2 + (i % 2)]),
      );
      const from = mine[4]?.position ?? 0n;
      const rest = (await all(log.readAll({ after: from }))).filter((event) => streams.includes(event.stream));
      expect(ids(rest)).toEqual(ids(mine.slice(5)));
      const [next, ...others] = await all(log.readAll({ after: from, limit: 1 }));
      expect(next?.position).toBeGreaterThan(from);
      expect(others).toEqual([]);
      expect((await all(log.readAll())).findIndex((event) => event.id === mine[0]?.id)).toBeGreaterThanOrEqual(0);
    },
  },
  {
    says: 'reads everything backwards, from before any position, up to a limit',
    async check({ log }) {
      const stream = newStream();
      await log.append(stream, several(9), 'no_stream');
      const mine = await all(log.readStream(stream));
      const after = await log.append(newStream(), several(1), 'no_stream');
      const backwards = async (options: { after?: bigint; limit?: number }): Promise<string[]> =>
        ids(of(stream, await all(log.readAll({ direction: 'backwards', ...options }))));
      expect(await backwards({ after: after.position, limit: 9 })).toEqual(ids(mine).toReversed());
      expect(await backwards({ after: mine[5]?.position ?? 0n, limit: 3 })).toEqual(ids(mine.slice(2, 5)).toReversed());
      const [newest] = await all(log.readAll({ direction: 'backwards', limit: 1 }));
      expect(newest?.position).toBeGreaterThanOrEqual(after.position);
    },
  },
  {
    says: 'leaves system events out of what it reads of everything',
    async check({ log }) {
      const stream = newStream();
      const { position } = await log.append(stream, several(1), 'no_stream');
      await log.setStreamMetadata(stream, { maxCount: 5 });
      await log.append(stream, [json({}, '$of-the-system'), json({}, 'of-mine')], 0);
      const types = (await all(log.readAll({ after: position }))).map((event) => event.type);
      expect(types).toContain('of-mine');
      expect(types.filter((type) => type.startsWith('$'))).toEqual([]);
      const backwards = await all(log.readAll({ direction: 'backwards', limit: 3 }));
      expect(backwards.filter((event) => event.type.startsWith('$'))).toEqual([]);
    },
  },
  {
    says: 'ends a read at the end as it was when the read began, however fast others write',
    async check({ log }) {
      const stream = newStream();
      await log.append(stream, several(5), 'no_stream');
      let seen = 0;
      for await (const page of log.readStream(stream)) {
        seen += page.length;
        await log.append(stream, several(5), 'any');
        if (seen > 5) break;
      }
      expect(seen).toBe(5);
      const before = (await all(log.readStream(stream, { direction: 'backwards', limit: 1 })))[0]?.position ?? 0n;
      await log.append(stream, several(5), 'any');
      seen = 0;
      for await (const page of log.readAll({ after: before })) {
        seen += of(stream, page).length;
        await log.append(stream, several(5), 'any');
        if (seen > 5) break;
      }
      expect(seen).toBe(5);
    },
  },
  {
    says: 'fails a read whose signal aborts, so that a part is never taken for the whole',
    async check({ log }) {
      const stream = newStream();
      for (let at = 0; at < 1_200; at += 100) await log.append(stream, several(100), 'any');
      for (const read of [
        (signal: AbortSignal) => log.readStream(stream, { signal }),
        (signal: AbortSignal) => log.readAll({ signal }),
      ]) {
        const stop = new AbortController();
        const reading = (async () => {
          for await (const page of read(stop.signal)) if (page.length > 0) stop.abort(new Error('called off'));
        })();
        expect(await failure(reading)).toMatchObject({ message: 'called off' });
      }
    },
  },
  {
    says: 'orders positions totally and keeps the head at the last of them',
    async check({ log }) {
      const before = await log.head();
      const results = await Promise.all(
        Array.from({ length: 50 }, () => log.append(newStream(), several(2), 'no_stream')),
      );
      const events = await all(log.readAll({ after: before }));
      for (let i = 1; i < events.length; i++) {
        expect(events[i]?.position).toBeGreaterThan(events[i - 1]?.position ?? 0n);
      }
      const positions = new Set(events.map((event) => event.position));
      for (const { position } of results) {
        expect(positions.has(position)).toBe(true);
        expect(position).toBeGreaterThan(before);
        expect(await log.head()).toBeGreaterThanOrEqual(position);
      }
      expect(await log.head()).toBe(events.at(-1)?.position);
    },
  },
  {
    says: 'has everything after a restart as it was before it: events, positions, id, head',
    needsRestart: true,
    async check({ log, restart }) {
      const stream = newStream();
      const id = await log.id();
      expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      await log.append(stream, several(5), 'no_stream');
      const before = { head: await log.head(), events: plain(await all(log.readStream(stream))) };
      const again = (await restart?.()) ?? log;
      expect(await again.id()).toBe(id);
      expect(await again.head()).toBe(before.head);
      expect(plain(await all(again.readStream(stream)))).toEqual(before.events);
      const next = await again.append(stream, several(1), 4);
      expect(next.revision).toBe(5);
      expect(next.position).toBeGreaterThan(before.head);
    },
  },
];

function plain(events: Awaited<ReturnType<typeof all>>): unknown[] {
  return events.map((event) => ({
    ...event,
    data: Buffer.from(event.data).toString('hex'),
    metadata: Buffer.from(event.metadata).toString('hex'),
  }));
}
