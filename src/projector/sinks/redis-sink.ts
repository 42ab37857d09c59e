// One shard of one build in Redis. A batch is one script: it compares the checkpoint, writes everything and moves the
// checkpoint, so that a batch is in the documents exactly once whoever sends it and however often.
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { buildPrefix, buildsKey, ownKeys, type ShardName } from '../../kernel/document-keys.js';
import type { ReadSpec } from '../../kernel/projection.js';
import { pipelineReplies, scoredReply } from '../../stores/documents/replies.js';
import { type RedisClient, serversOf } from '../../stores/redis/redis-endpoint.js';
import type { DeadLetter } from '../fold/parking.js';
import {
  BuildGone,
  type BuildSink,
  type FenceMismatch,
  type Loaded,
  type LoadedAt,
  lettersOf,
  plainHash,
  plainSorted,
  type SinkCommit,
  type SinkState,
  type Snapshot,
} from './document-sink.js';

/** Keys per round trip when a build is gone through. */
const scanKeysMax = 1_000;

/**
 * KEYS[1] the checkpoint, KEYS[2] the builds. ARGV[1] the checkpoint expected ('' for none), ARGV[2] the next one, ARGV[3]
 * the build, ARGV[4] the commands, each as its number of words and its words, in one JSON array: one long word costs the
 * client half of what ten thousand short ones do, and the server no more. The commands' keys share the checkpoint's hash
 * tag; they are not in KEYS, which would send every one of them twice. Returns the checkpoint found when it is not the
 * expected one, 'gone' beside it when nothing may be begun, else nothing.
 */
const commitScript = `
local found = redis.call('GET', KEYS[1]) or ''
if found ~= ARGV[1] then return {found} end
if found == '' and redis.call('HGET', KEYS[2], ARGV[3]) ~= 'building' then return {found, 'gone'} end
local words = cjson.decode(ARGV[4])
local at = 1
while at <= #words do
  local last = at + words[at]
  redis.call(unpack(words, at + 1, last))
  at = last + 1
end
redis.call('SET', KEYS[1], ARGV[2])
return {}`;

/**
 * KEYS[1] the checkpoint. ARGV[1] what stands before every key, ARGV[2] the reads in one JSON array, three words each:
 * command, key, field. Returns the checkpoint and the replies. Many small reads as one command: each command of its own costs the client more than the read.
 */
const loadScript = `
local replies = { redis.call('GET', KEYS[1]) }
local words = cjson.decode(ARGV[2])
for at = 1, #words, 3 do
  local command, key = words[at], ARGV[1] .. words[at + 1]
  if command == 'HGET' then replies[#replies + 1] = redis.call('HGET', key, words[at + 2])
  elseif command == 'ZRANGE' then replies[#replies + 1] = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  else replies[#replies + 1] = redis.call(command, key) end
end
return replies`;
/** Reads of one script call. */
const specsMax = 2_000;

const shaOf = new Map(
  [commitScript, loadScript].map((script) => [script, createHash('sha1').update(script).digest('hex')]),
);

export class RedisSink implements BuildSink {
  private readonly prefix: string;

  constructor(
    private readonly redis: RedisClient,
    private readonly shard: ShardName,
    private readonly build: number,
  ) {
    this.prefix = buildPrefix(shard, build);
  }

  async state(): Promise<SinkState> {
    const pipeline = this.redis.pipeline();
    pipeline.get(this.prefix + ownKeys.checkpoint);
    pipeline.get(this.prefix + ownKeys.marker);
    pipeline.hgetall(this.prefix + ownKeys.parkedKeys);
    pipeline.hlen(this.prefix + ownKeys.deadLetters);
    pipeline.hkeys(this.prefix + ownKeys.dropped);
    const [checkpoint, marker, parked, deadLetters, dropped] = pipelineReplies(await pipeline.exec());
    return {
      checkpoint: (checkpoint as string | null) ?? undefined,
      marker: (marker as string | null) ?? undefined,
      parkedKeys: new Map(Object.entries(parked as Record<string, string>)),
      deadLetters: deadLetters as number,
      dropped: new Set(dropped as string[]),
    };
  }

  async load(specs: readonly ReadSpec[]): Promise<LoadedAt> {
    const calls: Promise<readonly unknown[]>[] = [];
    for (let at = 0; at < specs.length; at += specsMax) {
      const words: string[] = [];
      for (const spec of specs.slice(at, at + specsMax)) {
        if ('doc' in spec) words.push('GET', spec.doc, '');
        else if ('sorted' in spec) words.push('ZRANGE', spec.sorted, '');
        else if (spec.field === undefined) words.push('HGETALL', spec.hash, '');
        else words.push('HGET', spec.hash, spec.field);
      }
      calls.push(
        this.run(loadScript, [this.prefix + ownKeys.checkpoint], [this.prefix, packed(words)]) as Promise<unknown[]>,
      );
    }
    const parts = await Promise.all(calls);
    const checkpoints = parts.map(([found]) => found as string | null);
    // Of two states, it is of none.
    const isOne = checkpoints.every((found) => found === checkpoints[0]);
    const replies = parts.flatMap((part) => part.slice(1));
    return {
      checkpoint: (isOne && checkpoints[0]) || undefined,
      loaded: specs.map((spec, index) => loadedFrom(spec, replies[index])),
    };
  }

  async commit({ expected, next, commands }: SinkCommit): Promise<FenceMismatch | undefined> {
    const words: (string | number)[] = [];
    for (const [command, key, ...rest] of commands) words.push(rest.length + 2, command, this.prefix + key, ...rest);
    const keys = [this.prefix + ownKeys.checkpoint, buildsKey(this.shard)];
    const [found, gone] = (await this.run(commitScript, keys, [
      expected ?? '',
      next,
      String(this.build),
      packed(words),
    ])) as readonly string[];
    if (gone !== undefined) throw new BuildGone(`${this.prefix} is not being made`);
    return found === undefined ? undefined : { found: found === '' ? undefined : found };
  }

  async *documents(): AsyncIterable<readonly (readonly [key: string, document: unknown])[]> {
    for await (const [, keys] of this.scan()) {
      const documents = keys.filter((key) => !key.startsWith(`${this.prefix}$`));
      if (documents.length > 0) yield await this.plain(documents);
    }
  }

  async clear(): Promise<void> {
    await this.redis.del(this.prefix + ownKeys.checkpoint, this.prefix + ownKeys.marker);
    // Until nothing is left: a scan promises to see only what stays there all the while, and some scans skip.
    for (let removed = -1; removed !== 0; ) {
      removed = 0;
      for await (const [node, keys] of this.scan()) if (keys.length > 0) removed += await node.unlink(...keys);
    }
  }

  private async *scan(): AsyncIterable<readonly [node: Redis, keys: readonly string[]]> {
    for (const node of serversOf(this.redis)) {
      let cursor = '0';
      do {
        const [next, keys] = await node.scan(cursor, 'MATCH', `${globEscaped(this.prefix)}*`, 'COUNT', scanKeysMax);
        yield [node, keys];
        cursor = next;
      } while (cursor !== '0');
    }
  }

  /** A key that went away meanwhile is left out. */
  private async plain(keys: readonly string[]): Promise<[string, unknown][]> {
    const names = keys.map((key) => key.slice(this.prefix.length));
    const { documents } = await this.snapshot(names);
    return names.flatMap((name): [string, unknown][] => (documents.has(name) ? [[name, documents.get(name)]] : []));
  }

  async snapshot(names: readonly string[]): Promise<Snapshot> {
    const types = this.redis.pipeline();
    for (const name of names) types.type(this.prefix + name);
    const kinds = pipelineReplies(await types.exec());
    const reads = this.redis.multi();
    reads.get(this.prefix + ownKeys.checkpoint);
    for (const [index, name] of names.entries()) {
      const key = this.prefix + name;
      if (kinds[index] === 'hash') reads.hgetall(key);
      else if (kinds[index] === 'zset') reads.zrange(key, '0', '-1', 'WITHSCORES');
      else reads.get(key);
    }
    const [checkpoint, ...replies] = pipelineReplies(await reads.exec());
    const documents = new Map<string, unknown>();
    for (const [index, name] of names.entries()) {
      const document = plainReply(kinds[index], replies[index]);
      if (document !== undefined) documents.set(name, document);
    }
    return { checkpoint: (checkpoint as string | null) ?? undefined, documents };
  }

  async *names(): AsyncIterable<readonly string[]> {
    for await (const [, keys] of this.scan()) {
      yield keys.map((key) => key.slice(this.prefix.length)).filter((name) => !name.startsWith('$'));
    }
  }

  async deadLetters(): Promise<readonly DeadLetter[]> {
    return lettersOf(Object.values(await this.redis.hgetall(this.prefix + ownKeys.deadLetters)));
  }

  async droppedLetters(): Promise<Readonly<Record<string, string>>> {
    return await this.redis.hgetall(this.prefix + ownKeys.dropped);
  }

  private async run(script: string, keys: readonly string[], words: readonly string[]): Promise<unknown> {
    try {
      return await this.redis.evalsha(shaOf.get(script) as string, keys.length, ...keys, ...words);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes('NOSCRIPT')) throw error;
      return await this.redis.eval(script, keys.length, ...keys, ...words);
    }
  }
}

/** As one JSON array. Half a surrogate pair goes as it does in any word, as U+FFFD: Redis reads no JSON that has one. */
function packed(words: readonly (string | number)[]): string {
  const text = JSON.stringify(words);
  if (!text.includes('\\ud')) return text;
  return JSON.stringify(words.map((word) => (typeof word === 'string' ? word.toWellFormed() : word)));
}

function loadedFrom(spec: ReadSpec, reply: unknown): Loaded {
  if ('doc' in spec) return { kind: 'doc', text: (reply as string | null) ?? undefined };
  if ('sorted' in spec) return { kind: 'sorted', members: scoredReply(reply) };
  if (spec.field !== undefined) return { kind: 'field', text: (reply as string | null) ?? undefined };
  const words = reply as readonly string[];
  const values = new Map<string, string>();
  for (let at = 0; at < words.length; at += 2) values.set(words[at] as string, words[at + 1] as string);
  return { kind: 'hash', values };
}

/** Undefined: the key is not there. */
function plainReply(kind: unknown, reply: unknown): unknown {
  if (kind === 'hash') {
    const fields = Object.entries(reply as Record<string, string>);
    return fields.length === 0 ? undefined : plainHash(fields);
  }
  if (kind === 'zset') {
    const members = scoredReply(reply);
    return members.length === 0 ? undefined : plainSorted(members);
  }
  return typeof reply === 'string' ? (JSON.parse(reply) as unknown) : undefined;
}

function globEscaped(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}
