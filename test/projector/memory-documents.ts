// The document store in memory, for the simulation: all processes share one `Shelves`, and each has a store of its own on
// it. Every step that is one command or one script in Redis is one step here; between two of them anything can happen.
import { decodeCheckpoint, ownKeys, type ShardName } from '../../src/kernel/document-keys.js';
import type { ReadSpec } from '../../src/kernel/projection.js';
import {
  type Activation,
  type BuildList,
  type BuildState,
  type Builds,
  isInTheMaking,
} from '../../src/projector/builds/builds.js';
import { type Attendance, silentMsMax } from '../../src/projector/builds/company.js';
import { type Lease, leaseMs } from '../../src/projector/builds/lease.js';
import {
  BuildGone,
  type BuildSink,
  type FenceMismatch,
  type LoadedAt,
  lettersOf,
  type SinkCommit,
  type SinkState,
  type Snapshot,
} from '../../src/projector/sinks/document-sink.js';
import type { DocumentStore } from '../../src/projector/sinks/document-store.js';
import { MemorySink } from '../../src/projector/sinks/memory-sink.js';

const keysPerPage = 20;

/** The builds of one shard. */
export class Shelf {
  active: number | undefined;
  last = 0;
  readonly states = new Map<number, BuildState>();
  /** Is told of a new build in the step that begins it. */
  begun: (build: number) => void = () => undefined;
  /** Keys by build, those of builds that nobody knows any more among them. */
  readonly sinks = new Map<number, MemorySink>();

  constructor(readonly name: ShardName) {}

  sink(build: number): MemorySink {
    const sink = this.sinks.get(build) ?? new MemorySink();
    this.sinks.set(build, sink);
    return sink;
  }

  checkpoint(build: number): ReturnType<typeof decodeCheckpoint> {
    const text = this.sink(build).keys.get(ownKeys.checkpoint);
    return typeof text === 'string' ? decodeCheckpoint(text) : undefined;
  }
}

export class Shelves {
  readonly shelves = new Map<string, Shelf>();
  readonly leases = new Map<string, { readonly holder: string; readonly untilMs: number }>();
  readonly heard = new Map<number, Map<string, number>>();

  /** @param now of the store itself, in ms: leases run out by it */
  constructor(readonly now: () => number) {}

  shelf(name: ShardName): Shelf {
    const key = `${name.projection} ${name.shard} ${name.shards}`;
    const shelf = this.shelves.get(key) ?? new Shelf(name);
    this.shelves.set(key, shelf);
    return shelf;
  }
}

/** What happens around each step of a store: the step itself is done at once. */
export type Around = <Answer>(step: () => Answer | Promise<Answer>, what: string) => Promise<Answer>;

const atOnce: Around = async (step) => step();

export function memoryDocuments(shelves: Shelves, around: Around = atOnce): DocumentStore {
  return {
    builds: (name) => new MemoryBuilds(shelves.shelf(name), around),
    sink: (name, build) => new MemoryBuildSink(shelves.shelf(name), build, around),
    lease: (work, holder) => memoryLease(shelves, { work, holder }, around),
    attendance: (shards, holder) => memoryAttendance(shelves, { shards, holder }, around),
    cuts: (projections) =>
      around(() => {
        const left = [...shelves.shelves.values()].filter(({ last }) => last > 0).map(({ name }) => name);
        const cuts = left.filter(({ projection }) => projections.includes(projection)).map(({ shards }) => shards);
        return [...new Set(cuts)].toSorted((a, b) => a - b);
      }, 'cuts'),
  };
}

class MemoryBuilds implements Builds {
  readonly name: ShardName;

  constructor(
    private readonly shelf: Shelf,
    private readonly around: Around,
  ) {
    this.name = shelf.name;
  }

  list(): Promise<BuildList> {
    return this.around(() => ({ active: this.shelf.active, states: new Map(this.shelf.states) }), 'list');
  }

  begin(): Promise<number> {
    return this.around(() => {
      this.shelf.last += 1;
      this.shelf.states.set(this.shelf.last, 'building');
      this.shelf.begun(this.shelf.last);
      return this.shelf.last;
    }, 'begin');
  }

  activate(build: number, expected: number | undefined): Promise<Activation> {
    return this.around(() => this.activated(build, expected), `activate ${build}`);
  }

  private activated(build: number, expected: number | undefined): Activation {
    const { shelf } = this;
    if (shelf.active !== expected || !isInTheMaking(shelf.states.get(build))) return 'refused';
    if (expected !== undefined) {
      const [next, last] = [shelf.checkpoint(build), shelf.checkpoint(expected)];
      if (next?.logId === last?.logId && (next?.position ?? 0n) < (last?.position ?? 0n)) return 'behind';
      shelf.states.set(expected, 'kept');
    }
    shelf.states.set(build, 'active');
    shelf.active = build;
    return 'switched';
  }

  move(build: number, from: BuildState, to: BuildState): Promise<boolean> {
    return this.around(() => {
      const { shelf } = this;
      if (shelf.states.get(build) !== from) return false;
      if (to === 'active' && (shelf.active ?? build) !== build) return false;
      if (to === 'active') shelf.active = build;
      else if (shelf.active === build) shelf.active = undefined;
      shelf.states.set(build, to);
      return true;
    }, `move ${build} ${from} ${to}`);
  }

  async clear(build: number): Promise<void> {
    await new MemoryBuildSink(this.shelf, build, this.around).clear();
    await this.around(() => this.shelf.states.delete(build), `forget ${build}`);
  }

  async clearAll(): Promise<void> {
    const { shelf, around } = this;
    await around(() => {
      shelf.active = undefined;
    }, 'hide');
    for (const build of shelf.states.keys()) await this.clear(build);
    await around(() => {
      shelf.last = 0;
    }, 'forget all');
  }
}

class MemoryBuildSink implements BuildSink {
  private readonly sink: MemorySink;

  constructor(
    private readonly shelf: Shelf,
    private readonly build: number,
    private readonly around: Around,
  ) {
    this.sink = shelf.sink(build);
  }

  async state(): Promise<SinkState> {
    return await this.around(() => this.sink.state(), `state ${this.build}`);
  }
  async load(specs: readonly ReadSpec[]): Promise<LoadedAt> {
    return await this.around(() => this.sink.load(specs), `load ${this.build}`);
  }

  async commit(commit: SinkCommit): Promise<FenceMismatch | undefined> {
    return await this.around(() => {
      const isBegun = this.sink.keys.has(ownKeys.checkpoint);
      if (!isBegun && commit.expected === undefined && this.shelf.states.get(this.build) !== 'building') {
        throw new BuildGone(`build ${this.build} is not being made`);
      }
      return this.sink.commit(commit);
    }, `commit ${this.build}`);
  }

  async *documents(): AsyncIterable<readonly (readonly [key: string, document: unknown])[]> {
    for await (const names of this.names()) {
      const { documents } = await this.snapshot(names);
      yield [...documents];
    }
  }

  async *names(): AsyncIterable<readonly string[]> {
    const names = [...this.sink.keys.keys()].filter((key) => !key.startsWith('$'));
    for (let at = 0; at < names.length; at += keysPerPage) {
      yield await this.around(() => names.slice(at, at + keysPerPage), 'names');
    }
  }

  async snapshot(names: readonly string[]): Promise<Snapshot> {
    return await this.around(() => {
      const checkpoint = this.sink.keys.get(ownKeys.checkpoint);
      const there = names.filter((key) => this.sink.keys.has(key));
      return {
        checkpoint: typeof checkpoint === 'string' ? checkpoint : undefined,
        documents: new Map(there.map((key) => [key, structuredClone(this.sink.document(key))])),
      };
    }, `snapshot ${this.build}`);
  }

  async deadLetters(): Promise<ReturnType<typeof lettersOf>> {
    return await this.around(() => lettersOf(this.hash(ownKeys.deadLetters).values()), 'dead letters');
  }
  async droppedLetters(): Promise<Readonly<Record<string, string>>> {
    return await this.around(() => Object.fromEntries(this.hash(ownKeys.dropped)), 'dropped letters');
  }

  /** What vouches for the build first, then page by page. */
  async clear(): Promise<void> {
    const { keys } = this.sink;
    await this.around(() => {
      keys.delete(ownKeys.checkpoint);
      keys.delete(ownKeys.marker);
    }, `clear ${this.build}`);
    while (keys.size > 0) {
      await this.around(() => {
        for (const key of [...keys.keys()].slice(0, keysPerPage)) keys.delete(key);
      }, `clear ${this.build}`);
    }
  }

  private hash(key: string): ReadonlyMap<string, string> {
    const stored = this.sink.keys.get(key);
    return stored instanceof Map ? stored : new Map();
  }
}

function memoryLease(
  { leases, now }: Shelves,
  { work, holder }: { readonly work: string; readonly holder: string },
  around: Around,
): Lease {
  const held = () => {
    const lease = leases.get(work);
    return lease && lease.untilMs > now() ? lease : undefined;
  };
  return {
    hold: () =>
      around(() => {
        if ((held()?.holder ?? holder) !== holder) return false;
        leases.set(work, { holder, untilMs: now() + leaseMs });
        return true;
      }, `hold ${work}`),
    isHeld: () => around(() => held() !== undefined, `held? ${work}`),
    release: () =>
      around(() => {
        if (held()?.holder === holder) leases.delete(work);
      }, `release ${work}`),
  };
}

function memoryAttendance(
  { heard, now }: Shelves,
  { shards, holder }: { readonly shards: number; readonly holder: string },
  around: Around,
): Attendance {
  const there = heard.get(shards) ?? new Map<string, number>();
  heard.set(shards, there);
  return {
    hear: () =>
      around(() => {
        there.set(holder, now());
        for (const [name, ms] of there) if (ms <= now() - silentMsMax) there.delete(name);
        return there.size;
      }, 'hear'),
    leave: () =>
      around(() => {
        there.delete(holder);
      }, 'leave'),
  };
}
