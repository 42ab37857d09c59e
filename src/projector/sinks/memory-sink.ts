// A sink in memory: what `verify` folds into, and what the simulated projector of the tests writes to. It does what
// Redis does with the same commands and nothing else.
import { ownKeys } from '../../kernel/document-keys.js';
import type { ReadSpec } from '../../kernel/projection.js';
import { SortedMembers } from '../fold/sorted-members.js';
import {
  type DocumentSink,
  type FenceMismatch,
  type Loaded,
  type LoadedAt,
  plainHash,
  plainSorted,
  type SinkCommit,
  type SinkState,
  type WriteCommand,
} from './document-sink.js';

type Stored = string | Map<string, string> | SortedMembers;

export class MemorySink implements DocumentSink {
  readonly keys = new Map<string, Stored>();

  async state(): Promise<SinkState> {
    const checkpoint = this.keys.get(ownKeys.checkpoint);
    const marker = this.keys.get(ownKeys.marker);
    return {
      checkpoint: typeof checkpoint === 'string' ? checkpoint : undefined,
      marker: typeof marker === 'string' ? marker : undefined,
      parkedKeys: new Map(this.hash(ownKeys.parkedKeys)),
      deadLetters: this.hash(ownKeys.deadLetters).size,
      dropped: new Set(this.hash(ownKeys.dropped).keys()),
    };
  }

  async load(specs: readonly ReadSpec[]): Promise<LoadedAt> {
    const checkpoint = this.keys.get(ownKeys.checkpoint) as string | undefined;
    return { checkpoint, loaded: specs.map((spec) => this.loaded(spec)) };
  }

  async commit({ expected, next, commands }: SinkCommit): Promise<FenceMismatch | undefined> {
    const found = this.keys.get(ownKeys.checkpoint) as string | undefined;
    if (found !== expected) return { found };
    for (const command of commands) this.run(command);
    this.keys.set(ownKeys.checkpoint, next);
    return undefined;
  }

  async clear(): Promise<void> {
    this.keys.clear();
  }

  async *documents(): AsyncIterable<readonly (readonly [key: string, document: unknown])[]> {
    yield [...this.all()];
  }

  /** As documents, at once. */
  all(): Map<string, unknown> {
    const documents = new Map<string, unknown>();
    for (const [key, stored] of this.keys) {
      if (!key.startsWith('$')) documents.set(key, plain(stored));
    }
    return documents;
  }

  /** One document, in the form of `documents`; undefined when it is not there. */
  document(key: string): unknown {
    const stored = this.keys.get(key);
    return stored === undefined ? undefined : plain(stored);
  }

  /** Puts a field where it was not folded from an event. */
  setField(key: string, field: string, text: string): void {
    this.runHash('HSET', key, [field, text]);
  }

  private loaded(spec: ReadSpec): Loaded {
    if ('doc' in spec) {
      const text = this.keys.get(spec.doc);
      return { kind: 'doc', text: typeof text === 'string' ? text : undefined };
    }
    if ('sorted' in spec) {
      const set = this.keys.get(spec.sorted);
      return { kind: 'sorted', members: set instanceof SortedMembers ? [...set.range()] : [] };
    }
    const hash = this.hash(spec.hash);
    if (spec.field === undefined) return { kind: 'hash', values: new Map(hash) };
    return { kind: 'field', text: hash.get(spec.field) };
  }

  private hash(key: string): ReadonlyMap<string, string> {
    const stored = this.keys.get(key);
    return stored instanceof Map ? stored : new Map();
  }

  private run([command, key, ...words]: WriteCommand): void {
    switch (command) {
      case 'SET':
        this.keys.set(key, words[0] as string);
        return;
      case 'DEL':
        this.keys.delete(key);
        return;
      case 'HSET':
      case 'HDEL':
        this.runHash(command, key, words);
        return;
      case 'ZADD':
      case 'ZREM':
      case 'ZREMRANGEBYRANK':
        this.runSorted(command, key, words);
        return;
      case 'XADD':
        return;
      default:
        throw new Error(`the memory sink does not know ${command}`);
    }
  }

  private runHash(command: 'HSET' | 'HDEL', key: string, words: readonly string[]): void {
    const hash = (this.keys.get(key) as Map<string, string> | undefined) ?? new Map<string, string>();
    if (command === 'HDEL') for (const field of words) hash.delete(field);
    else {
      for (let index = 0; index < words.length; index += 2)
        hash.set(words[index] as string, words[index + 1] as string);
    }
    if (hash.size === 0) this.keys.delete(key);
    else this.keys.set(key, hash);
  }

  private runSorted(command: 'ZADD' | 'ZREM' | 'ZREMRANGEBYRANK', key: string, words: readonly string[]): void {
    const set = (this.keys.get(key) as SortedMembers | undefined) ?? new SortedMembers();
    if (command === 'ZREM') for (const member of words) set.remove(member);
    else if (command === 'ZREMRANGEBYRANK') set.trim(-Number(words[1]) - 1);
    else {
      for (let index = 0; index < words.length; index += 2) set.add(words[index + 1] as string, Number(words[index]));
    }
    if (set.size === 0) this.keys.delete(key);
    else this.keys.set(key, set);
  }
}

function plain(stored: Stored): unknown {
  if (typeof stored === 'string') return JSON.parse(stored);
  return stored instanceof SortedMembers ? plainSorted(stored.range()) : plainHash(stored);
}
