// The DocumentView a fold works on: what was loaded, with the changes of the batch in, and the write commands that lead
// from one to the other. Documents, fields and members are written once per batch however often they change; but for a trim
// of a sorted set, as it matters what was there before it.
import { changeText } from '../../kernel/document-keys.js';
import { LruMap } from '../../kernel/lru-map.js';
import type { DocumentView, Scored } from '../../kernel/projection.js';
import type { Loaded, WriteCommand } from '../sinks/document-sink.js';
import {
  docCommands,
  type Entry,
  type Hash,
  hashCommands,
  isGone,
  makeEntry,
  markGone,
  removeAll,
  type Sorted,
  settled,
  sortedCommands,
  trimStored,
  weight,
} from './overlay-entry.js';
import { SortedMembers } from './sorted-members.js';

export class DocumentOverlay implements DocumentView {
  /** What this batch has read or changed: all that is written and settled, however much is known beside it. */
  private readonly inHand = new Map<string, Entry>();
  /** What is known from the batches before and was not in hand since. */
  private readonly kept: LruMap<string, Entry>;
  /** Of the keys that were ever loaded, because a handler reads them. */
  private readonly keyspacesRead = new Set<string>();
  /** Live changes, one entry for all that an event changes. */
  private readonly changes: { readonly position: bigint; readonly words: string[] }[] = [];
  private position = 0n;
  private writtenWords = 0;

  /** @param valuesMax documents, fields and members that are kept from batch to batch */
  constructor(
    private readonly name: string,
    readonly owns: (ownerId: string) => boolean,
    private readonly valuesMax: number,
  ) {
    this.kept = new LruMap(valuesMax);
  }

  /** The event whose changes come now; live entries are numbered by it. */
  at(position: bigint): void {
    this.position = position;
  }

  /** About how many words the commands of this batch have so far. */
  get words(): number {
    return this.writtenWords;
  }

  hasField(key: string, field: string): boolean {
    const entry = this.known(key);
    return entry?.kind === 'hash' && (entry.whole || entry.values.has(field));
  }
  /** Is the whole key known? */
  has(key: string): boolean {
    const entry = this.known(key);
    if (!entry) return false;
    if (entry.kind === 'doc') return entry.known;
    return entry.kind === 'hash' ? entry.whole : entry.members !== undefined;
  }

  /** Takes in what the sink answered; what the batch has already changed stays. */
  learn(key: string, field: string | undefined, loaded: Loaded): void {
    this.keyspacesRead.add(keyspaceOf(key));
    if (loaded.kind === 'doc') {
      const doc = this.written(key, 'doc');
      if (!doc.known) Object.assign(doc, { known: true, text: loaded.text });
    } else if (loaded.kind === 'hash') this.learnHash(this.written(key, 'hash'), loaded.values);
    else if (loaded.kind === 'field' && field !== undefined) {
      const { values, whole } = this.written(key, 'hash');
      if (!whole && !values.has(field))
        values.set(field, loaded.text === undefined ? undefined : JSON.parse(loaded.text));
    } else if (loaded.kind === 'sorted') {
      this.written(key, 'sorted').members ??= new SortedMembers(loaded.members);
    }
  }

  private learnHash(hash: Hash, loaded: ReadonlyMap<string, string>): void {
    if (hash.whole) return;
    for (const [name, text] of loaded) if (!hash.values.has(name)) hash.values.set(name, JSON.parse(text));
    for (const [name, value] of hash.values) if (value === undefined) hash.values.delete(name);
    hash.whole = true;
  }

  get<Value>(key: string): Value | undefined {
    const doc = this.read(key, 'doc');
    if (!doc?.known) throw this.undeclared(key);
    if (doc.text !== undefined) {
      doc.value = JSON.parse(doc.text);
      doc.text = undefined;
    }
    return doc.value as Value | undefined;
  }

  put(key: string, value: unknown): void {
    const doc = this.written(key, 'doc');
    doc.known = true;
    doc.changed = true;
    doc.text = undefined;
    doc.value = asStored(value);
    this.writtenWords += 3;
  }

  delete(key: string): void {
    const entry = this.known(key);
    this.writtenWords += 2;
    if (entry?.kind === 'hash') {
      entry.values.clear();
      entry.changed.clear();
      entry.whole = true;
      entry.cleared = true;
    } else if (entry?.kind === 'sorted') removeAll(entry, key);
    else this.put(key, undefined);
  }

  field<Value>(key: string, field: string): Value | undefined {
    const hash = this.read(key, 'hash');
    if (!hash || (!hash.whole && !hash.values.has(field))) throw this.undeclared(`${key}[${field}]`);
    return hash.values.get(field) as Value | undefined;
  }

  fields<Value>(key: string): ReadonlyMap<string, Value> {
    const hash = this.read(key, 'hash');
    if (!hash?.whole) throw this.undeclared(key);
    return hash.values as Map<string, Value>;
  }

  setField(key: string, field: string, value: unknown): void {
    const hash = this.written(key, 'hash');
    hash.values.set(field, asStored(value));
    hash.changed.add(field);
    this.writtenWords += 2;
  }

  deleteField(key: string, field: string): void {
    const hash = this.written(key, 'hash');
    if (hash.whole) hash.values.delete(field);
    else hash.values.set(field, undefined);
    hash.changed.add(field);
    this.writtenWords += 1;
  }

  range(key: string): readonly Scored[] {
    const sorted = this.read(key, 'sorted');
    if (!sorted?.members) throw this.undeclared(key);
    return sorted.members.range();
  }

  add(key: string, member: string, score: number): void {
    const sorted = this.written(key, 'sorted');
    sorted.members?.add(member, score);
    this.pend(sorted, member, score);
  }

  remove(key: string, member: string): void {
    const sorted = this.written(key, 'sorted');
    sorted.members?.remove(member);
    this.pend(sorted, member, undefined);
  }

  trim(key: string, max: number): void {
    const sorted = this.written(key, 'sorted');
    if (sorted.members && sorted.members.size <= max) return;
    sorted.members?.trim(max);
    trimStored(sorted, key, max);
    this.writtenWords += 4;
  }

  notify(ownerId: string, topic: string, subjectId: string): void {
    let entry = this.changes.at(-1);
    if (entry?.position !== this.position) {
      entry = { position: this.position, words: [] };
      this.changes.push(entry);
      this.writtenWords += 7;
    }
    entry.words.push(ownerId, changeText({ topic, subjectId }));
    this.writtenWords += 2;
  }

  /** @param changesKey the stream of live changes @param changesMax of about how many events they are kept */
  commands(changesKey: string, changesMax: number): WriteCommand[] {
    // Live changes come first: a script that fails on the way has done what came before.
    const commands = this.changeCommands(changesKey, changesMax);
    for (const [key, entry] of this.inHand) {
      if (entry.kind === 'doc') commands.push(...docCommands(key, entry));
      else if (entry.kind === 'hash') commands.push(...hashCommands(key, entry));
      else commands.push(...sortedCommands(key, entry));
    }
    return commands as unknown as WriteCommand[];
  }

  private changeCommands(changesKey: string, changesMax: number): string[][] {
    // Numbered by position, so that a listener can resume whatever build it reads.
    return this.changes.map(({ position, words }) => {
      return ['XADD', changesKey, 'MAXLEN', '~', String(changesMax), `${position}-*`, ...words];
    });
  }

  /**
   * The commands are written: what is known stays known for the next batch; what was used longest ago goes first. What
   * handlers only ever write is not kept.
   */
  settle(): void {
    this.changes.length = 0;
    this.writtenWords = 0;
    for (const [key, entry] of this.inHand) {
      const values = weight(entry);
      if (values > this.valuesMax || !this.isWorthKeeping(key, entry)) continue;
      settled(entry);
      this.kept.set(key, entry, values);
    }
    this.inHand.clear();
  }

  private isWorthKeeping(key: string, entry: Entry): boolean {
    if (!this.keyspacesRead.has(keyspaceOf(key))) return false;
    // A deleted document may come back as another kind of key; of unread members nothing is known.
    return entry.kind === 'doc' ? !isGone(entry) : entry.kind === 'hash' || entry.members !== undefined;
  }

  private known(key: string): Entry | undefined {
    const held = this.inHand.get(key);
    if (held) return held;
    const kept = this.kept.take(key);
    if (kept) this.inHand.set(key, kept);
    return kept;
  }

  private pend({ pending }: Sorted, member: string, score: number | undefined): void {
    // The heads of the two commands that it may begin.
    if (pending.size === 0) this.writtenWords += 4;
    pending.set(member, score);
    this.writtenWords += score === undefined ? 1 : 2;
  }

  private undeclared(key: string): Error {
    return new Error(`${this.name}: ${key} is read but not named by the handler's reads`);
  }

  /** The key as it is known; a key of another kind is a fault of the projection. */
  private read<Kind extends Entry['kind']>(key: string, kind: Kind): Extract<Entry, { kind: Kind }> | undefined {
    const entry = this.known(key);
    // A deleted key is not there as any kind.
    if (entry?.kind === 'doc' && kind !== 'doc' && isGone(entry)) return this.written(key, kind);
    if (entry && entry.kind !== kind) throw this.mistaken(key, entry.kind, kind);
    return entry as Extract<Entry, { kind: Kind }> | undefined;
  }

  /** The key to be changed, made known if it is not. */
  private written<Kind extends Entry['kind']>(key: string, kind: Kind): Extract<Entry, { kind: Kind }> {
    let entry = this.known(key);
    if (!entry || (entry.kind === 'doc' && kind !== 'doc' && isGone(entry))) {
      const gone = entry !== undefined;
      entry = makeEntry[kind]();
      if (gone) markGone(entry, key);
      this.inHand.set(key, entry);
    }
    if (entry.kind !== kind) throw this.mistaken(key, entry.kind, kind);
    return entry as Extract<Entry, { kind: Kind }>;
  }

  private mistaken(key: string, is: string, used: string): Error {
    return new Error(`${this.name}: ${key} is a ${is} and is used as a ${used}`);
  }
}

/** Keys are named `<keyspace>:<id>`. */
function keyspaceOf(key: string): string {
  return key.slice(0, key.indexOf(':'));
}

/**
 * As it would be read again: a property that is undefined is not there. It would keep a place among the others in memory
 * only, and a document's bytes would tell whether it was kept or loaded when it was changed.
 */
function asStored(value: unknown): unknown {
  return hasUndefined(value) ? withoutUndefined(value) : value;
}

function hasUndefined(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  for (const name in value) {
    const of = (value as Record<string, unknown>)[name];
    if (of === undefined || hasUndefined(of)) return true;
  }
  return false;
}

function withoutUndefined(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutUndefined);
  const stored: Record<string, unknown> = {};
  for (const [name, of] of Object.entries(value)) if (of !== undefined) stored[name] = withoutUndefined(of);
  return stored;
}
