// What the overlay knows of one key, in its three shapes, and the commands that write its changes.
import { SortedMembers } from './sorted-members.js';

/** Most words of one command: Lua's `unpack` takes fewer than 8,000. */
export const commandWordsMax = 1_000;

export interface Doc {
  readonly kind: 'doc';
  known: boolean;
  /** As it was loaded, until somebody reads it. */
  text: string | undefined;
  /** Undefined, and no text: it is not there. */
  value: unknown;
  changed: boolean;
}
export interface Hash {
  readonly kind: 'hash';
  /** All fields are known: one that is not in `values` does not exist. */
  whole: boolean;
  /** Of a hash that is not whole, fields that are known not to exist are there as undefined. */
  readonly values: Map<string, unknown>;
  readonly changed: Set<string>;
  cleared: boolean;
}
export interface Sorted {
  readonly kind: 'sorted';
  members: SortedMembers | undefined;
  /** What was done up to the last deletion or trim. */
  commands: string[][];
  /** What was done since, by member: its score, or undefined where it was removed. */
  readonly pending: Map<string, number | undefined>;
}
export type Entry = Doc | Hash | Sorted;

export const makeEntry: { readonly [Kind in Entry['kind']]: () => Extract<Entry, { kind: Kind }> } = {
  doc: () => ({ kind: 'doc', known: false, text: undefined, value: undefined, changed: false }),
  hash: () => ({ kind: 'hash', whole: false, values: new Map(), changed: new Set(), cleared: false }),
  sorted: () => ({ kind: 'sorted', members: undefined, commands: [], pending: new Map() }),
};

export function weight(entry: Entry): number {
  if (entry.kind === 'doc') return 1;
  return 1 + (entry.kind === 'hash' ? entry.values.size : (entry.members?.size ?? 0));
}

/** A key that was deleted before anything was known of it may come back as any kind. */
export function isGone(doc: Doc): boolean {
  return doc.changed && doc.text === undefined && doc.value === undefined;
}
export function markGone(entry: Entry, key: string): void {
  if (entry.kind === 'hash') Object.assign(entry, { whole: true, cleared: true });
  if (entry.kind === 'sorted') removeAll(entry, key);
}

export function removeAll(sorted: Sorted, key: string): void {
  sorted.members = new SortedMembers();
  sorted.commands = [['DEL', key]];
  sorted.pending.clear();
}

/** Keeps the `max` highest: what was done before is done before. */
export function trimStored(sorted: Sorted, key: string, max: number): void {
  const trim = ['ZREMRANGEBYRANK', key, '0', String(-max - 1)];
  const last = sorted.commands.at(-1);
  if (sorted.pending.size === 0 && last?.[0] === trim[0] && last?.[3] === trim[3]) return;
  flush(sorted, key);
  sorted.commands.push(trim);
}

/** Of one member only the last word counts. */
function flush({ pending, commands }: Sorted, key: string): void {
  let added = ['ZADD', key];
  let removed = ['ZREM', key];
  for (const [member, score] of pending) {
    if (score === undefined) removed = extended(commands, removed, member);
    else added = extended(commands, added, String(score), member);
  }
  commands.push(...[removed, added].filter(saysSomething));
  pending.clear();
}

/** The command with some more words; one that is as long as it may be goes to the others, and a new one is begun. */
function extended(commands: string[][], command: string[], ...words: readonly string[]): string[] {
  command.push(...words);
  if (command.length < commandWordsMax) return command;
  commands.push(command);
  return command.slice(0, 2);
}
function saysSomething(command: readonly string[]): boolean {
  return command.length > 2;
}

/** Its changes are written. */
export function settled(entry: Entry): void {
  if (entry.kind === 'doc') entry.changed = false;
  else if (entry.kind === 'sorted') {
    entry.commands = [];
    entry.pending.clear();
  } else {
    entry.changed.clear();
    entry.cleared = false;
  }
}

export function docCommands(key: string, doc: Doc): string[][] {
  if (!doc.changed) return [];
  return [isGone(doc) ? ['DEL', key] : ['SET', key, doc.text ?? JSON.stringify(doc.value)]];
}

export function hashCommands(key: string, hash: Hash): string[][] {
  if (hash.changed.size === 0 && !hash.cleared) return [];
  const commands: string[][] = hash.cleared ? [['DEL', key]] : [];
  let set = ['HSET', key];
  let removed = ['HDEL', key];
  for (const field of hash.changed) {
    const value = hash.values.get(field);
    if (value === undefined) removed = extended(commands, removed, field);
    else set = extended(commands, set, field, JSON.stringify(value));
  }
  commands.push(...[set, removed].filter(saysSomething));
  return commands;
}

export function sortedCommands(key: string, sorted: Sorted): string[][] {
  flush(sorted, key);
  return sorted.commands;
}
