// Folds pages of the log into one shard of one build of one document projection. State, cache and checkpoint belong
// together: whoever is fenced off throws all three away and reads them again.

import type { LogEvent } from '../../event-log/event-log.js';
import {
  type BuildMarker,
  type Checkpoint,
  decodeCheckpoint,
  decodeMarker,
  encodeCheckpoint,
  isFoldOf,
  ownKeys,
  shardOf,
} from '../../kernel/document-keys.js';
import type { AnyEvent, DocumentProjection, ReadSpec } from '../../kernel/projection.js';
import { BuildGone, type DocumentSink, type WriteCommand } from '../sinks/document-sink.js';
import { DocumentOverlay } from './document-overlay.js';
import { freshNonce } from './nonce.js';
import type { PageEvent } from './page.js';
import { type DeadLetter, keysOf, Parking, unpark } from './parking.js';

export interface RunnerLimits {
  /** Events per batch. */
  readonly eventsMax: number;
  /** Bytes of events per batch; one event may be larger. */
  readonly bytesMax: number;
  /** Words of the commands of one batch; the fold is cut at the first event that goes beyond. */
  readonly wordsMax: number;
  /** Documents, fields and members kept in memory between batches. */
  readonly cachedValuesMax: number;
  /** Events whose live changes are kept, about. */
  readonly changesMax: number;
  /** Parked events of one shard; with more the projection is stuck. */
  readonly deadLettersMax: number;
}

export const defaultRunnerLimits: RunnerLimits = {
  eventsMax: 1_000,
  bytesMax: 4_194_304,
  wordsMax: 100_000,
  cachedValuesMax: 50_000,
  changesMax: 10_000,
  deadLettersMax: 10_000,
};

/** It needs a person: going on would be wrong, and trying again does not help. */
export class ProjectionStuck extends Error {
  constructor(projection: string, reason: string) {
    super(`${projection}: ${reason}`);
    this.name = 'ProjectionStuck';
  }
}

/** What a batch did, for metrics. */
export interface BatchReport {
  readonly events: number;
  readonly commands: number;
  readonly parked: number;
  /** Of the last event considered. */
  readonly position: bigint;
}

interface TriedFold {
  readonly parkedCommands: readonly WriteCommand[];
  readonly parked: ReadonlySet<bigint>;
  readonly last: LogEvent;
}

export class DocumentRunner {
  private overlay: DocumentOverlay;
  private parking: Parking;
  private checkpoint: Checkpoint;
  private stored: string | undefined;
  private readonly owns: (ownerId: string) => boolean;

  constructor(
    readonly projection: DocumentProjection,
    private readonly sink: DocumentSink,
    private readonly options: {
      readonly shard: number;
      readonly shards: number;
      readonly logId: string;
      readonly limits: RunnerLimits;
      readonly report?: (batch: BatchReport) => void;
      /** What a new build takes over from the one it replaces. */
      readonly inherit?: () => Promise<readonly WriteCommand[]>;
    },
  ) {
    this.owns = (ownerId) => shardOf(ownerId, options.shards) === options.shard;
    this.overlay = this.freshOverlay();
    this.parking = new Parking({ parkedKeys: new Map(), dropped: new Set(), deadLetters: 0 });
    this.checkpoint = { logId: options.logId, position: 0n, recordedAt: 0, epoch: 0 };
  }

  /** The last event considered; 0n before the first. */
  get position(): bigint {
    return this.checkpoint.position;
  }

  get logId(): string {
    return this.options.logId;
  }

  wants(type: string): boolean {
    return Object.hasOwn(this.projection.on, type);
  }

  /**
   * Reads where the build stands. @throws ProjectionStuck when it is the build of another log, BuildGone when it is that
   * of another version of the projection, or of other settings
   */
  async open(): Promise<void> {
    const state = await this.sink.state();
    this.mustBeOurs(state.marker);
    this.overlay = this.freshOverlay();
    this.parking = new Parking(state);
    this.stored = state.checkpoint;
    const read = state.checkpoint === undefined ? undefined : decodeCheckpoint(state.checkpoint);
    if (state.checkpoint !== undefined && !read)
      throw this.stuck(`its checkpoint is no checkpoint: ${state.checkpoint}`);
    if (read && read.logId !== this.options.logId) {
      throw this.stuck(`it was built from log ${read.logId}, this is log ${this.options.logId}`);
    }
    this.checkpoint = read ?? { logId: this.options.logId, position: 0n, recordedAt: 0, epoch: 0 };
  }

  /** While it was placed here it may have been begun by a process of other code or settings. */
  private mustBeOurs(marker: string | undefined): void {
    const made = decodeMarker(marker);
    if (!made || isFoldOf(made, this.projection)) return;
    const foldOf = ({ version, settings = '' }: Pick<BuildMarker, 'version' | 'settings'>) =>
      `version ${version} ${settings}`.trim();
    throw new BuildGone(`${made.projection}: the build is made by ${foldOf(made)}, this is ${foldOf(this.projection)}`);
  }

  /** Writes marker and first checkpoint of a build that has neither. @throws BuildGone */
  async begin(): Promise<void> {
    if (this.stored !== undefined) return;
    const { options } = this;
    const { name, version, settings } = this.projection;
    const marker: BuildMarker = {
      projection: name,
      version,
      ...(settings === undefined ? {} : { settings }),
      logId: options.logId,
    };
    const inherited = (await options.inherit?.()) ?? [];
    if (await this.write(this.checkpoint, [['SET', ownKeys.marker, JSON.stringify(marker)], ...inherited])) {
      if (inherited.length > 0) await this.open();
    }
  }

  /**
   * Folds parked events now, in order, wherever the build stands; one that fails again stays parked with those that
   * depend on it. Give all that depend on each other. Undefined: somebody else wrote meanwhile, try again.
   */
  async retry(
    items: readonly { readonly event: PageEvent; readonly letter: DeadLetter }[],
  ): Promise<{ readonly folded: readonly DeadLetter[] } | undefined> {
    const failures = new Map<bigint, Error>();
    for (;;) {
      await this.open();
      this.parking = new Parking({ parkedKeys: new Map(), dropped: new Set(), deadLetters: 0 });
      const events = items.map(({ event }) => event);
      const result = await this.tryFold(events, failures);
      if (result === undefined) continue;
      const isDone = ({ log }: PageEvent) => log.position <= result.last.position && !result.parked.has(log.position);
      const folded = items.filter(({ event }) => isDone(event)).map(({ letter }) => letter);
      const waiting = items.filter(({ event }) => !isDone(event)).map(({ letter }) => letter);
      const commands = [
        ...this.overlay.commands(ownKeys.changes, this.options.limits.changesMax),
        ...unpark(folded, waiting),
        ...result.parkedCommands,
      ];
      if (!(await this.write({ ...this.checkpoint, epoch: this.checkpoint.epoch + 1 }, commands))) return undefined;
      await this.open();
      return { folded };
    }
  }

  /**
   * Folds what is new of a page, batch by batch. The page holds every event after `after`; a runner that stands before
   * that (somebody moved its checkpoint back) folds nothing of it, as it would leave a gap: compare `position`.
   */
  async fold(page: readonly PageEvent[], after: bigint, signal?: AbortSignal): Promise<void> {
    while (this.position >= after) {
      signal?.throwIfAborted();
      const start = page.findIndex(({ log }) => log.position > this.position);
      if (start < 0) return;
      await this.foldBatch(this.slice(page, start));
    }
  }

  /** Nothing new up to `position`: moves the checkpoint alone, so that a token is always passed in the end. */
  async pass(position: bigint): Promise<void> {
    if (position <= this.position) return;
    if (!(await this.write({ ...this.checkpoint, position }, []))) return;
    this.options.report?.({ events: 0, commands: 0, parked: 0, position });
  }

  private slice(page: readonly PageEvent[], start: number): readonly PageEvent[] {
    const { eventsMax, bytesMax } = this.options.limits;
    let end = start;
    let bytes = 0;
    while (end < page.length && end - start < eventsMax) {
      bytes += page[end]?.log.data.byteLength ?? 0;
      if (bytes > bytesMax && end > start) break;
      end += 1;
    }
    return page.slice(start, end);
  }

  private async foldBatch(batch: readonly PageEvent[]): Promise<void> {
    const failures = new Map<bigint, Error>();
    for (;;) {
      const before = this.position;
      const folded = await this.tryFold(batch, failures);
      if (this.position !== before) return;
      if (folded === undefined) continue;
      const { parkedCommands, parked, last } = folded;
      const { limits } = this.options;
      const commands = [...this.overlay.commands(ownKeys.changes, limits.changesMax), ...parkedCommands];
      if (this.parking.size > limits.deadLettersMax) {
        throw this.stuck(`more than ${limits.deadLettersMax} events are parked; see homing dead-letters list`);
      }
      if (await this.write({ ...this.checkpoint, position: last.position, recordedAt: last.recordedAt }, commands)) {
        this.overlay.settle();
        this.options.report?.({
          events: batch.length,
          commands: commands.length,
          parked: parked.size,
          position: last.position,
        });
      }
      return;
    }
  }

  /** Undefined: the batch has to be folded again, as an event failed (it is in `failures` now) or the state moved. */
  private async tryFold(batch: readonly PageEvent[], failures: Map<bigint, Error>): Promise<TriedFold | undefined> {
    if (!(await this.loadReads(batch, failures))) {
      await this.open();
      return undefined;
    }
    const parkedCommands: WriteCommand[] = [];
    const parked = new Set<bigint>();
    let last: LogEvent | undefined;
    for (const { log, decoded } of batch) {
      if (last && this.overlay.words > this.options.limits.wordsMax) break;
      last = log;
      if (decoded === undefined || !this.wants(log.type) || this.parking.isDropped(log.position)) continue;
      const failure = decoded instanceof Error ? decoded : failures.get(log.position);
      try {
        const keys = keysOf(this.projection, log, decoded, failure);
        if (failure || this.parking.isParked(keys)) {
          parkedCommands.push(...this.parking.park(log, keys, failure));
          parked.add(log.position);
          continue;
        }
        // A parked event that is folded late is news as of now.
        const isNew = log.position > this.position;
        this.overlay.at(isNew ? log.position : this.position);
        this.projection.on[log.type]?.apply(decoded as AnyEvent, this.overlay);
      } catch (error) {
        failures.set(log.position, error instanceof Error ? error : new Error(String(error)));
        await this.open();
        return undefined;
      }
    }
    return last && { parkedCommands, parked, last };
  }

  /** False: what was read is of another state than this fold stands on. */
  private async loadReads(batch: readonly PageEvent[], failures: Map<bigint, Error>): Promise<boolean> {
    const needed = new Map<string, ReadSpec>();
    for (const { log, decoded } of batch) {
      if (decoded === undefined || decoded instanceof Error || !this.wants(log.type)) continue;
      let specs: readonly ReadSpec[] = [];
      try {
        specs = this.projection.on[log.type]?.reads?.(decoded) ?? [];
      } catch (error) {
        failures.set(log.position, error instanceof Error ? error : new Error(String(error)));
      }
      for (const spec of specs) this.need(spec, needed);
    }
    const specs = [...needed.values()];
    if (specs.length === 0) return true;
    const { checkpoint, loaded } = await this.sink.load(specs);
    if (checkpoint !== this.stored) return false;
    for (const [index, spec] of specs.entries()) {
      const answer = loaded[index];
      if (answer) this.overlay.learn(keyOf(spec), 'field' in spec ? spec.field : undefined, answer);
    }
    return true;
  }

  private need(spec: ReadSpec, needed: Map<string, ReadSpec>): void {
    const key = keyOf(spec);
    if ('field' in spec && spec.field !== undefined) {
      if (!needed.has(key) && !this.overlay.hasField(key, spec.field)) needed.set(`${key}\n${spec.field}`, spec);
    } else if (!this.overlay.has(key)) needed.set(key, spec);
  }

  /** False: fenced off; the state has been read again. */
  private async write(next: Checkpoint, commands: readonly WriteCommand[]): Promise<boolean> {
    const text = encodeCheckpoint(next, freshNonce());
    const mismatch = await this.sink.commit({ expected: this.stored, next: text, commands });
    if (mismatch) {
      await this.open();
      return false;
    }
    this.stored = text;
    this.checkpoint = next;
    return true;
  }

  private stuck(reason: string): ProjectionStuck {
    return new ProjectionStuck(this.projection.name, reason);
  }

  private freshOverlay(): DocumentOverlay {
    return new DocumentOverlay(this.projection.name, this.owns, this.options.limits.cachedValuesMax);
  }
}

function keyOf(spec: ReadSpec): string {
  if ('doc' in spec) return spec.doc;
  return 'sorted' in spec ? spec.sorted : spec.hash;
}
