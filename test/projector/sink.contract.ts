// What every document sink must do, whatever it is made of.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ownKeys } from '../../src/kernel/document-keys.js';
import type { DocumentSink, SinkCommit, WriteCommand } from '../../src/projector/sinks/document-sink.js';

export function sinkContract(name: string, make: () => Promise<DocumentSink>): void {
  describe(`${name} as a document sink`, () => {
    let sink: DocumentSink;
    beforeEach(async () => {
      sink = await make();
      await sink.clear();
    });
    const commit = (expected: string | undefined, next: string, ...commands: WriteCommand[]) =>
      sink.commit({ expected, next, commands } satisfies SinkCommit);
    async function documents(): Promise<Record<string, unknown>> {
      const found: Record<string, unknown> = {};
      for await (const page of sink.documents()) for (const [key, document] of page) found[key] = document;
      return found;
    }

    it('starts with nothing', async () => {
      expect(await sink.state()).toEqual({
        checkpoint: undefined,
        marker: undefined,
        parkedKeys: new Map(),
        deadLetters: 0,
        dropped: new Set(),
      });
      expect(await sink.load([{ doc: 'a' }, { hash: 'h' }, { hash: 'h', field: 'f' }, { sorted: 'z' }])).toEqual({
        checkpoint: undefined,
        loaded: [
          { kind: 'doc', text: undefined },
          { kind: 'hash', values: new Map() },
          { kind: 'field', text: undefined },
          { kind: 'sorted', members: [] },
        ],
      });
    });

    it('writes all three shapes and gives them back', async () => {
      expect(
        await commit(
          undefined,
          'one',
          ['SET', 'a', '{"x":1}'],
          ['HSET', 'h', 'f', '1', 'g', '"two"'],
          ['ZADD', 'z', '2', 'b', '1', 'c', '2', 'a'],
          ['XADD', ownKeys.changes, 'MAXLEN', '~', '10', '7-0', 'o', 'm'],
        ),
      ).toBeUndefined();
      expect(await sink.load([{ doc: 'a' }, { hash: 'h' }, { hash: 'h', field: 'g' }, { sorted: 'z' }])).toEqual({
        checkpoint: 'one',
        loaded: [
          { kind: 'doc', text: '{"x":1}' },
          {
            kind: 'hash',
            values: new Map([
              ['f', '1'],
              ['g', '"two"'],
            ]),
          },
          { kind: 'field', text: '"two"' },
          {
            kind: 'sorted',
            members: [
              { member: 'c', score: 1 },
              { member: 'a', score: 2 },
              { member: 'b', score: 2 },
            ],
          },
        ],
      });
      expect(await documents()).toEqual({
        a: { x: 1 },
        h: { f: 1, g: 'two' },
        z: [
          ['c', 1],
          ['a', 2],
          ['b', 2],
        ],
      });
    });

    it('keeps every text as it is, in keys, fields, members and documents', async () => {
      const odd = 'a "quoted" \\u0041 \\ line\nbreak \u0000 \u007f \u2028 ünï 私 🐦';
      const text = JSON.stringify({ [odd]: [odd, ''] });
      await commit(
        undefined,
        odd,
        ['SET', `d:${odd}`, text],
        ['HSET', 'h', odd, text, '', '""'],
        ['ZADD', 'z', '1', odd, '2', ''],
      );
      expect(await sink.load([{ doc: `d:${odd}` }, { hash: 'h', field: odd }, { sorted: 'z' }])).toEqual({
        checkpoint: odd,
        loaded: [
          { kind: 'doc', text },
          { kind: 'field', text },
          {
            kind: 'sorted',
            members: [
              { member: odd, score: 1 },
              { member: '', score: 2 },
            ],
          },
        ],
      });
      // Half a surrogate pair has no UTF-8: it is written as the replacement character, and stops nothing.
      await commit(odd, 'two', ['SET', 'half', JSON.stringify({ x: '\ud800' })], ['HSET', 'h', '\ud800', '1']);
      expect((await sink.load([{ doc: 'half' }])).loaded).toEqual([{ kind: 'doc', text: '{"x":"\\ud800"}' }]);
      expect((await documents())['h']).toMatchObject({ [odd]: JSON.parse(text) });
    });

    it('keeps a sorted set to its highest, and removes what it is told to', async () => {
      await commit(undefined, 'one', ['ZADD', 'z', '1', 'a', '2', 'b', '3', 'c'], ['ZREMRANGEBYRANK', 'z', '0', '-3']);
      await commit('one', 'two', ['ZREM', 'z', 'c', 'nobody'], ['HSET', 'h', 'f', '1'], ['HDEL', 'h', 'f', 'nothing']);
      await commit('two', 'three', ['SET', 'a', '1'], ['DEL', 'a']);
      expect(await documents()).toEqual({ z: [['b', 2]] });
    });

    it('refuses a batch that was folded on another checkpoint, whole', async () => {
      await commit(undefined, 'one', ['SET', 'a', '1']);
      expect(await commit(undefined, 'two', ['SET', 'a', '2'])).toEqual({ found: 'one' });
      expect(await commit('zero', 'two', ['SET', 'a', '2'])).toEqual({ found: 'one' });
      expect(await documents()).toEqual({ a: 1 });
      expect((await sink.state()).checkpoint).toBe('one');
      expect(await commit('one', 'two', ['SET', 'a', '2'])).toBeUndefined();
      expect(await documents()).toEqual({ a: 2 });
    });

    it('knows its marker and what is parked', async () => {
      await commit(
        undefined,
        'one',
        ['SET', ownKeys.marker, 'mine'],
        ['HSET', ownKeys.parkedKeys, 'share-1', '7'],
        ['HSET', ownKeys.deadLetters, '7', '{}', '9', '{}'],
        ['HSET', ownKeys.dropped, '5', '{}'],
      );
      expect(await sink.state()).toEqual({
        checkpoint: 'one',
        marker: 'mine',
        parkedKeys: new Map([['share-1', '7']]),
        deadLetters: 2,
        dropped: new Set(['5']),
      });
      expect(await documents()).toEqual({});
    });

    it('forgets everything when it is cleared', async () => {
      const many = Array.from({ length: 2_500 }, (_, index): WriteCommand => ['SET', `k${index}`, '1']);
      await commit(undefined, 'one', ...many);
      expect(Object.keys(await documents())).toHaveLength(2_500);
      await sink.clear();
      expect(await documents()).toEqual({});
      expect((await sink.state()).checkpoint).toBeUndefined();
    });
  });
}
