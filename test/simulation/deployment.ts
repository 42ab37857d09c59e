// Several processes over one log and one store, in a world of one seed: they share shards by leases whose clocks disagree,
// stall for longer than a lease, die between any two awaits, are deployed anew with another version of the code, while an
// operator builds, goes back and gives up, and the store loses writes of some builds. Readers look on: what has once been
// there never goes away, never goes back, and is always what the log says. When everything heals, what is read is the fold
// of the log, and of what was given up no key is left.
import { isDeepStrictEqual } from 'node:util';
import type { EventLog, LogEvent } from '../../src/event-log/event-log.js';
import {
  type BuildMarker,
  decodeCheckpoint,
  ownKeys,
  type ShardName,
  shardOf,
} from '../../src/kernel/document-keys.js';
import type { DocumentHandler, DocumentProjection } from '../../src/kernel/projection.js';
import { DocumentProjector } from '../../src/projector/builds/document-projector.js';
import { defaultRunnerLimits } from '../../src/projector/fold/document-runner.js';
import type { Decoder } from '../../src/projector/fold/page.js';
import { shardNames } from '../../src/projector/operation/document-status.js';
import { CannotGoBack, DocumentOperations } from '../../src/projector/operation/operations.js';
import type { SinkCommit } from '../../src/projector/sinks/document-sink.js';
import type { DocumentStore } from '../../src/projector/sinks/document-store.js';
import { MemorySink } from '../../src/projector/sinks/memory-sink.js';
import { DocumentReader, DocumentsNotReady } from '../../src/stores/documents/reader.js';
import { asLogEvents } from '../projections/social-history.js';
import { type Around, memoryDocuments, type Shelf, Shelves } from '../projector/memory-documents.js';
import { memoryReads } from '../projector/memory-reads.js';
import { fold, logId, plainDecoder } from '../projector/support.js';
import { changed } from './changed.js';
import { Fate } from './fate.js';
import { SimulatedFault, World, WorldLog } from './world.js';

const eventsMax = 200;
/** A comparison before a switch looks at one in so many owners: every part has one. */
const sampleParts = 16;

/** What a process with a fault in it sees instead. */
export interface Planted {
  readonly store?: (
    sound: DocumentStore,
    around: Around,
    about: { shelves: Shelves; holder: string },
  ) => Partial<DocumentStore>;
  readonly log?: (sound: WorldLog) => Partial<WorldLog>;
  /** Puts the fault into the code itself; what it answers takes it out again. */
  readonly code?: () => () => void;
}

/** Counts what a stream has; it does not bear an event that comes twice. */
function tally(version: number): DocumentProjection {
  const counted: DocumentHandler = {
    reads: ({ stream }) => [{ doc: `count:${stream}` }],
    apply: ({ stream }, view) => {
      if (!view.owns(stream)) return;
      const { count } = view.get<{ count: number }>(`count:${stream}`) ?? { count: 0 };
      view.put(`count:${stream}`, { count: count + 1, version });
    },
  };
  return { name: 'tally', version, on: { Happened: counted } };
}

/** Keeps the newest of each stream. */
const newest: DocumentProjection = {
  name: 'newest',
  version: 1,
  on: {
    Happened: {
      apply: ({ stream, revision }, view) => {
        if (!view.owns(stream)) return;
        view.add(`newest:${stream}`, `r${revision}`, revision);
        view.trim(`newest:${stream}`, 3);
      },
    },
  },
};

export class Deployment {
  readonly world: World;
  readonly shelves: Shelves;
  private readonly shards: number;
  private readonly streams: readonly string[];
  private readonly all: readonly LogEvent[];
  /** What the log has by now. */
  private readonly events: LogEvent[] = [];
  /** Each event is decoded once for all processes. */
  private readonly decoder = decodingOnce();
  private version = 1;
  private serial = 0;
  private readonly fate: Fate;
  /** By process. */
  private readonly versions = new Map<string, number>();
  /** What readers could read last. */
  private readonly seen = new Map<Shelf, { readonly text: unknown; readonly position: bigint }>();
  /** See spoilSome. */
  private readonly spoiled = new Set<string>();
  private readonly shareHolder: boolean;

  constructor(
    readonly seed: number,
    private readonly planted: Planted = {},
  ) {
    this.world = new World(seed);
    this.fate = new Fate(this.world, {
      start: () => this.start(),
      operate: () => void this.operate(),
      deploy: () => {
        this.version = 2;
      },
      look: () => this.look(),
      isOver: () => this.events.length === this.all.length,
      isOld: (name) => (this.versions.get(name) ?? this.version) < this.version,
      isSettled: () => this.isSettled(),
      description: () => this.description(),
    });
    this.shelves = new Shelves(() => this.world.nowMs);
    this.shards = this.world.upTo(2);
    this.shareHolder = this.world.chance(0.25);
    this.streams = onePerPart(this.shards * sampleParts);
    const rest = Array.from({ length: eventsMax - this.streams.length }, () => this.anyStream());
    this.all = asLogEvents(
      [...this.streams, ...rest].map((stream) => ({
        stream,
        type: 'Happened',
        data: {},
        occurredAt: '2026-03-01T08:00:00.000Z',
      })),
    );
    this.events.push(...this.all.slice(0, this.streams.length));
  }

  /** The trace of what happened. @throws Violation */
  async run(): Promise<string> {
    const takeOut = this.planted.code?.();
    this.spoilSome();
    const { fate } = this;
    fate.watch(this.write());
    for (const reader of ['reader-1', 'reader-2']) fate.watch(this.read(reader));
    try {
      await fate.live();
      await this.compare();
    } finally {
      takeOut?.();
    }
    return this.world.trace();
  }

  private projections(version: number): readonly DocumentProjection[] {
    return [tally(version), newest];
  }

  private async write(): Promise<void> {
    while (this.events.length < this.all.length) {
      await this.world.sleep('writer', this.world.random() * 1_000);
      this.events.push(...this.all.slice(this.events.length, this.events.length + this.world.upTo(6)));
    }
  }

  private storeOf(process: string, holder = process): DocumentStore {
    const around = this.world.around(process);
    const sound = memoryDocuments(this.shelves, around);
    const { planted, shelves } = this;
    return this.losingWrites(planted.store ? changed(sound, planted.store(sound, around, { shelves, holder })) : sound);
  }

  /** Of some of the builds that are made beside one that is read the store loses every count. */
  private spoilSome(): void {
    for (const projection of this.projections(1)) {
      for (const shelf of this.shelvesOf(projection)) {
        shelf.begun = (build) => {
          const isSpoiled = shelf.active !== undefined && !this.fate.isCalm && this.world.chance(0.25);
          if (isSpoiled) this.spoiled.add(keyOf(shelf.name, build));
        };
      }
    }
  }

  private losingWrites(sound: DocumentStore): DocumentStore {
    return changed(sound, {
      sink: (name, build) => {
        const sink = sound.sink(name, build);
        const commit = ({ commands, ...rest }: SinkCommit) => {
          const isSpoiled = this.spoiled.has(keyOf(name, build));
          const kept = isSpoiled ? commands.filter(([, key]) => !key.startsWith('count:')) : commands;
          return sink.commit({ ...rest, commands: kept });
        };
        return changed(sink, { commit });
      },
    });
  }

  private logOf(process: string): EventLog {
    const sound = new WorldLog(this.world, process, this.events, 200);
    return (this.planted.log ? changed(sound, this.planted.log(sound)) : sound) as unknown as EventLog;
  }

  private start(): void {
    const { version, shards, world } = this;
    this.serial += 1;
    const name = `process-${this.serial}`;
    const holder = this.shareHolder ? 'one' : name;
    const projector = new DocumentProjector({
      log: this.logOf(name),
      store: this.storeOf(name, holder),
      decoder: this.decoder,
      projections: this.projections(version),
      shards,
      limits: { ...defaultRunnerLimits, eventsMax: world.upTo(40) },
      holder,
      timers: world.timersOf(name, 0.7 + 0.6 * world.random()),
      listener: { stuck: (shard, { message }) => this.isExpected(shard, message) },
    });
    projector.start();
    this.versions.set(name, version);
    this.fate.add(name, () => void projector.close());
  }

  /** Nothing is stuck but a build of which the store lost something. */
  private isExpected(name: ShardName, message: string): void {
    const build = /build (\d+) differs/.exec(message)?.[1];
    if (!this.spoiled.has(keyOf(name, Number(build)))) this.fate.violated(new Error(`it is stuck: ${message}`));
  }

  private async operate(): Promise<void> {
    const { world, shards, version } = this;
    this.serial += 1;
    const name = `operator-${this.serial}`;
    this.fate.add(name);
    const operations = new DocumentOperations({
      log: this.logOf(name),
      store: this.storeOf(name),
      decoder: this.decoder,
      projections: this.projections(version),
      shards,
      limits: defaultRunnerLimits,
      nowMs: () => world.nowMs,
    });
    const deed = world.random();
    const projection = world.chance(0.7) ? 'tally' : 'newest';
    try {
      if (deed < 0.45) await operations.rebuild(projection);
      else if (deed < 0.85) await operations.rollback(projection);
      else await operations.abort(projection);
    } catch (error) {
      if (!(error instanceof SimulatedFault) && !(error instanceof CannotGoBack)) this.fate.violated(error);
    }
    this.fate.remove(name);
  }

  /** As readers who look after every await of anybody: something is read, and it never goes back. */
  private look(): void {
    for (const shelf of this.shelves.shelves.values()) {
      const before = this.seen.get(shelf);
      const text = shelf.active === undefined ? undefined : shelf.sink(shelf.active).keys.get(ownKeys.checkpoint);
      if (text === before?.text) continue;
      const { projection, shard } = shelf.name;
      const position = typeof text === 'string' ? decodeCheckpoint(text)?.position : undefined;
      if (position === undefined) throw new Error(`${projection}/${shard}: what was there is gone`);
      if (position < (before?.position ?? 0n)) {
        throw new Error(`${projection}/${shard} went back from ${before?.position} to ${position}`);
      }
      this.seen.set(shelf, { text, position });
    }
  }

  private async read(process: string): Promise<void> {
    const { world, shards } = this;
    const reader = new DocumentReader(memoryReads(this.shelves, this.world.around(process)), shards, logId);
    const last = new Map<number, bigint>();
    for (;;) {
      await world.sleep(process, world.random() * 400);
      const stream = this.anyStream();
      const shard = shardOf(stream, shards);
      const before = last.get(shard);
      try {
        const { replies, checkpoint } = await reader.read('tally', stream, (pipeline, key) =>
          pipeline.get(key(`count:${stream}`)),
        );
        const { position } = checkpoint;
        const { count } = typeof replies[0] === 'string' ? (JSON.parse(replies[0]) as { count: number }) : { count: 0 };
        const [then, now] = [this.countUpTo(stream, position), this.countUpTo(stream)];
        const about = `tally/${shard} at ${position} shows ${count} of ${stream}`;
        if (position < (before ?? 0n)) throw new Error(`${about}: a reader has seen ${before} before`);
        if (count < then || count > now)
          throw new Error(`${about}: the log has ${then} up to there, and ${now} by now`);
        last.set(shard, position);
      } catch (error) {
        if (error instanceof SimulatedFault) continue;
        if (!(error instanceof DocumentsNotReady)) throw error;
        if (before !== undefined) throw new Error(`tally/${shard}: what was there is gone`);
      }
    }
  }

  private countUpTo(stream: string, position?: bigint): number {
    return this.events.filter((event) => event.stream === stream && event.position <= (position ?? event.position))
      .length;
  }

  private anyStream(): string {
    return this.streams[Math.floor(this.world.random() * this.streams.length)] as string;
  }

  private shelvesOf(projection: DocumentProjection): readonly Shelf[] {
    return shardNames([projection.name], this.shards).map((name) => this.shelves.shelf(name));
  }

  /** Everything is read from a build of the newest code at the head, and nothing is left but one build to go back to. */
  private isSettled(): boolean {
    return this.projections(this.version).every((projection) =>
      this.shelvesOf(projection).every((shelf) => {
        const { active, states } = shelf;
        if (active === undefined || shelf.checkpoint(active)?.position !== this.all.at(-1)?.position) return false;
        const marker = JSON.parse(
          (shelf.sink(active).keys.get(ownKeys.marker) as string | undefined) ?? '{}',
        ) as BuildMarker;
        const others = [...states].filter(([build]) => build !== active).map(([, state]) => state);
        const isTidy = others.length < 2 && others.every((state) => state === 'kept');
        const left = [...shelf.sinks].filter(([build, { keys }]) => keys.size > 0 && !states.has(build));
        return marker.version === projection.version && isTidy && left.length === 0;
      }),
    );
  }

  private description(): string {
    const parts = [...this.shelves.shelves.values()].map((shelf) => {
      const { name, active, states, sinks } = shelf;
      const keys = [...sinks].map(
        ([build, sink]) => `${build}: ${sink.keys.size} keys at ${shelf.checkpoint(build)?.position}`,
      );
      return `${name.projection}/${name.shard} active ${active}, ${JSON.stringify([...states])}, ${keys.join(', ')}`;
    });
    return parts.join('; ');
  }

  private async compare(): Promise<void> {
    for (const projection of this.projections(this.version)) {
      for (const shelf of this.shelvesOf(projection)) {
        const expected = new MemorySink();
        await fold(projection, this.all, expected, shelf.name);
        const found = shelf.sink(shelf.active as number).all();
        if (isDeepStrictEqual(found, expected.all())) continue;
        throw this.fate.told(new Error(`${projection.name}/${shelf.name.shard} is not the fold of the log`));
      }
    }
  }
}

function decodingOnce(): Decoder {
  const known = new WeakMap<LogEvent, ReturnType<Decoder['decode']>>();
  return {
    decode: (event, options) => {
      const decoded = known.get(event) ?? plainDecoder.decode(event, options);
      known.set(event, decoded);
      return decoded;
    },
  };
}

function keyOf({ projection, shard }: ShardName, build: number): string {
  return `${projection} ${shard} ${build}`;
}

/** Names such that each part of the cut owns one of them. */
function onePerPart(parts: number): readonly string[] {
  const found = new Map<number, string>();
  for (let index = 0; found.size < parts; index += 1) {
    const name = `thing-${index}`;
    const part = shardOf(name, parts);
    if (!found.has(part)) found.set(part, name);
  }
  return [...found.values()];
}
