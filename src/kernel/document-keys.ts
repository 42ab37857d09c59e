// The names of a document projection's keys, shared by the side that writes them and the side that reads them. All keys
// of a shard carry the shard as their hash tag, so that one script may change them together on a Redis Cluster too.

/** The most shards a projection may have: as many as the configuration allows. */
export const shardsMax = 64;

/** Which of `shards` owns the documents of this owner (a member, a brand, a share …): FNV-1a over the id. */
export function shardOf(ownerId: string, shards: number): number {
  if (shards === 1) return 0;
  let hash = 0x811c9dc5;
  for (let index = 0; index < ownerId.length; index += 1) {
    hash = Math.imul(hash ^ ownerId.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % shards;
}

/** One shard of one projection; `shards` is part of the tag, so that another number of shards is another set of keys. */
export interface ShardName {
  readonly projection: string;
  readonly shard: number;
  readonly shards: number;
}

function tag(name: ShardName): string {
  return `{${String(name.shard).padStart(2, '0')}-${String(name.shards).padStart(2, '0')}}`;
}

/** `<projection>:{<shard>}:active` holds the number of the build that readers read. */
export function activeKey(name: ShardName): string {
  return `${name.projection}:${tag(name)}:active`;
}

/** `<projection>:{<shard>}:builds`, a hash: number of a build → BuildState. */
export function buildsKey(name: ShardName): string {
  return `${name.projection}:${tag(name)}:builds`;
}

/** What stands before the keys of one build: `<projection>:v<n>:{<shard>}:`. */
export function buildPrefix(name: ShardName, build: number): string {
  return `${name.projection}:v${build}:${tag(name)}:`;
}

/** Kinds of key that belong to the projector and not to a projection, relative to the build's prefix. */
export const ownKeys = {
  /** See Checkpoint. */
  checkpoint: '$checkpoint',
  /** Written with the first checkpoint; without it the shard's data are not whole. */
  marker: '$marker',
  /** A stream of changes for live listeners. */
  changes: '$changes',
  /** A hash: routing key → position of its first parked event. */
  parkedKeys: '$parked-keys',
  /** A hash: position of a parked event → what is known of it, as JSON. */
  deadLetters: '$dead-letters',
  /** A hash: position of an event that was dropped by hand → why, as JSON. */
  dropped: '$dropped',
} as const;

/** Who a build is for: what its marker says, as JSON. */
export interface BuildMarker {
  readonly projection: string;
  /** The projection's code version. */
  readonly version: number;
  /** The projection's settings. */
  readonly settings?: string;
  readonly logId: string;
}

/** It holds the same fold: by this version of the projection's code, and by its settings. */
export function isFoldOf(
  made: Pick<BuildMarker, 'version' | 'settings'>,
  { version, settings }: Pick<BuildMarker, 'version' | 'settings'>,
): boolean {
  return made.version === version && made.settings === settings;
}

/** Undefined where there is none: the build is not whole. */
export function decodeMarker(stored: unknown): BuildMarker | undefined {
  return typeof stored === 'string' ? (JSON.parse(stored) as BuildMarker) : undefined;
}

/** The last event considered, of which log, and how often the state was changed by hand at this position. */
export interface Checkpoint {
  readonly logId: string;
  readonly position: bigint;
  /** When the log took the last event considered, in ms since 1970; 0 before the first. */
  readonly recordedAt: number;
  /** Raised by a retry or a drop of dead letters, so that whoever folds on an older state is fenced off. */
  readonly epoch: number;
}

/**
 * @param nonce of this commit, of no other: a store that goes back to an earlier state and is folded forward again must
 *   not come to the same text, or whoever read in between would take what it read for current
 */
export function encodeCheckpoint({ logId, position, recordedAt, epoch }: Checkpoint, nonce: string): string {
  return `${logId} ${position} ${recordedAt} ${epoch} ${nonce}`;
}

/** Undefined for a text that is not a checkpoint. */
export function decodeCheckpoint(text: string): Checkpoint | undefined {
  const match = /^(\S+) (\d{1,20}) (\d{1,15}) (\d{1,10}) \w+$/.exec(text);
  if (!match?.[1] || match[2] === undefined) return undefined;
  return { logId: match[1], position: BigInt(match[2]), recordedAt: Number(match[3]), epoch: Number(match[4]) };
}

/** What of an owner's changed, as it stands in the stream of live changes. */
export interface ChangedThing {
  readonly topic: string;
  readonly subjectId: string;
}

/** @param thing its topic has no colon */
export function changeText({ topic, subjectId }: ChangedThing): string {
  return `${topic}:${subjectId}`;
}
export function changeOfText(text: string): ChangedThing {
  const end = text.indexOf(':');
  return { topic: text.slice(0, end), subjectId: text.slice(end + 1) };
}
