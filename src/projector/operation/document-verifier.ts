// Compares one build with an independent fold of the log, to the row, while the projector may go on writing:
// each page of keys is read together with its checkpoint, and the fold is moved to just that position.
import { isDeepStrictEqual } from 'node:util';
import { decodeCheckpoint, type ShardName } from '../../kernel/document-keys.js';
import { FoldCursor, type FoldOptions } from '../fold/fold-cursor.js';
import type { BuildSink } from '../sinks/document-sink.js';
import type { DocumentStore } from '../sinks/document-store.js';
import { type Difference, differencesToldMax, type Verifier, type VerifyReport } from './verifier.js';

const keysPerPage = 500;
/** Keys of one shard that are compared: its fold is held in memory meanwhile. */
export const verifiedKeysMax = 5_000_000;

export interface DocumentVerifierOptions extends Omit<FoldOptions, 'dropped' | 'shard' | 'shards'> {
  readonly store: DocumentStore;
  readonly name: ShardName;
  /** Absent: the active one. */
  readonly build?: number;
  /** Absent: verifiedKeysMax. */
  readonly keysMax?: number;
  /** Compare the documents of one in `parts` owners only; extra keys are then not looked for. */
  readonly sample?: { readonly part: number; readonly parts: number };
}

export class DocumentVerifier implements Verifier {
  readonly part: string;

  constructor(private readonly options: DocumentVerifierOptions) {
    const { projection, shard } = options.name;
    this.part = `documents ${projection}/${shard}`;
  }

  async verify(signal?: AbortSignal): Promise<VerifyReport> {
    const { store, name, sample } = this.options;
    const build = this.options.build ?? (await store.builds(name).list()).active;
    if (build === undefined) throw new Error(`${this.part}: there is no build that readers read`);
    const sink = store.sink(name, build);
    const dropped = Object.keys(await sink.droppedLetters());
    // A part of a shard is a shard of a finer cut: hash mod (shards · parts).
    const shards = name.shards * (sample?.parts ?? 1);
    const shard = name.shard + name.shards * (sample?.part ?? 0);
    const cursor = new FoldCursor({ ...this.options, dropped, shard, shards });
    const comparison = new Comparison(sink, cursor, sample !== undefined, this.options.keysMax);
    await comparison.run(signal);
    const parked = await sink.deadLetters();
    return { part: this.part, position: cursor.position, parked, ...comparison.result() };
  }
}

class Comparison {
  private readonly told: Difference[] = [];
  private readonly seen = new Set<string>();
  private differences = 0;

  constructor(
    private readonly sink: BuildSink,
    private readonly cursor: FoldCursor,
    private readonly isSample: boolean,
    private readonly keysMax = verifiedKeysMax,
  ) {}

  result(): Pick<VerifyReport, 'compared' | 'differences' | 'told'> {
    return { compared: this.seen.size, differences: this.differences, told: this.told };
  }

  async run(signal: AbortSignal | undefined): Promise<void> {
    await this.page([], signal);
    if (!this.isSample) {
      for await (const names of this.sink.names()) {
        for (let at = 0; at < names.length; at += keysPerPage) {
          await this.page(names.slice(at, at + keysPerPage), signal);
        }
      }
    }
    // What the fold has and the scan did not show. The fold may have grown meanwhile: again until nothing is new.
    for (;;) {
      const missing = [...this.cursor.sink.keys.keys()].filter((key) => !key.startsWith('$') && !this.seen.has(key));
      if (missing.length === 0) return;
      for (let at = 0; at < missing.length; at += keysPerPage) {
        await this.page(missing.slice(at, at + keysPerPage), signal);
      }
    }
  }

  private async page(names: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const { checkpoint, documents } = await this.sink.snapshot(names);
    const at = checkpoint === undefined ? undefined : decodeCheckpoint(checkpoint);
    if (!at) throw new Error('the build has no checkpoint: it is not whole');
    if (at.position < this.cursor.position) throw new Error('the build went back while it was compared');
    await this.cursor.advanceTo(at.position, signal);
    if (Math.max(this.seen.size, this.cursor.sink.keys.size) > this.keysMax) {
      throw new Error(
        `more than ${this.keysMax} keys in one shard: set HOMING_PROJECTION_SHARDS so that each has fewer`,
      );
    }
    for (const name of names) {
      if (this.seen.has(name)) continue;
      this.seen.add(name);
      this.compare(name, documents.get(name));
    }
  }

  private compare(name: string, found: unknown): void {
    const expected = this.cursor.sink.document(name);
    if (isDeepStrictEqual(expected, found)) return;
    if (this.isSample && isPartOf(expected, found)) return;
    this.differences += 1;
    if (this.told.length < differencesToldMax) this.told.push({ at: name, expected, found });
  }
}

/** An index that a shard keeps of its own members, a hash or a sorted set, holds fewer of them in a part of the shard. */
function isPartOf(part: unknown, whole: unknown): boolean {
  if (Array.isArray(part) && Array.isArray(whole)) {
    const entries = new Set(whole.map((entry) => JSON.stringify(entry)));
    return part.every((entry) => entries.has(JSON.stringify(entry)));
  }
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return part === undefined;
  if (typeof whole !== 'object' || whole === null || Array.isArray(whole)) return false;
  return Object.entries(part).every(([field, value]) =>
    isDeepStrictEqual(value, (whole as Readonly<Record<string, unknown>>)[field]),
  );
}
