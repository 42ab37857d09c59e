// The projector in a world of one seed: several processes that all believe they own the same shards, engines that fail
// before and after the deed, events that are delivered again, crashes between any two awaits, stalls, poison events that are
// retried when they are mended.
// Whatever happens, the end is the fold of the log.
import { describe, expect, it } from '@jest/globals';
import { friends } from '../../projections/friends.document.js';
import { inbox } from '../../projections/inbox.document.js';
import { shares } from '../../projections/shares.document.js';
import type { LogEvent } from '../../src/event-log/event-log.js';
import { decodeCheckpoint, ownKeys } from '../../src/kernel/document-keys.js';
import type { DocumentHandler, DocumentProjection } from '../../src/kernel/projection.js';
import { type DocumentRunner, defaultRunnerLimits } from '../../src/projector/fold/document-runner.js';
import { Lane } from '../../src/projector/fold/lane.js';
import { decodePage } from '../../src/projector/fold/page.js';
import { type DeadLetter, dependents } from '../../src/projector/fold/parking.js';
import { SortedMembers } from '../../src/projector/fold/sorted-members.js';
import { MemorySink } from '../../src/projector/sinks/memory-sink.js';
import { asLogEvents, SocialHistory } from '../projections/social-history.js';
import { fold, plainDecoder, runnerOf } from '../projector/support.js';
import { worldSeeds } from './seeds.js';
import { SimulatedFault, World, WorldLog, WorldSink } from './world.js';

const stepsMax = 60_000;

const counted: DocumentHandler = {
  reads: ({ stream }) => [{ doc: `count:${stream}` }],
  apply: ({ stream }, view) => {
    if (view.owns(stream)) view.put(`count:${stream}`, (view.get<number>(`count:${stream}`) ?? 0) + 1);
  },
};
/** The read models above bear an event that comes twice; this one does not. */
const tally: DocumentProjection = {
  name: 'tally',
  version: 1,
  on: Object.fromEntries(
    ['MessageSent', 'MomentReacted', 'FriendRequestSent', 'ShareLinkOpened'].map((type) => [type, counted]),
  ),
};

interface Part {
  readonly projection: DocumentProjection;
  readonly shard: number;
  readonly shards: number;
  readonly sink: MemorySink;
}

type Stored = MemorySink['keys'] extends Map<string, infer Value> ? Value : never;

function copyOf({ keys }: Pick<MemorySink, 'keys'>): Map<string, Stored> {
  return new Map(
    [...keys].map(([key, stored]): [string, Stored] => {
      if (typeof stored === 'string') return [key, stored];
      return [key, stored instanceof Map ? new Map(stored) : new SortedMembers(stored.range())];
    }),
  );
}

class Simulation {
  readonly world: World;
  readonly events: LogEvent[] = [];
  private readonly all: readonly LogEvent[];
  private readonly parts: Part[] = [];
  private readonly processes = new Map<string, AbortController>();
  private readonly stalled: string[] = [];
  private readonly broken = new Set<string>();
  private serial = 0;
  private remembered: Map<string, Stored>[] = [];

  constructor(readonly seed: number) {
    this.world = new World(seed);
    const { events } = new SocialHistory(seed, 5, 220);
    this.all = asLogEvents(events);
    const shards = this.world.upTo(3);
    for (const projection of [inbox, friends, shares, tally].map((one) => this.fragile(one))) {
      for (let shard = 0; shard < shards; shard += 1)
        this.parts.push({ projection, shard, shards, sink: new MemorySink() });
    }
    // Some streams cannot be folded until somebody mends the code.
    const streams = [...new Set(this.all.map(({ stream }) => stream))];
    for (const stream of streams) if (this.world.chance(0.05)) this.broken.add(stream);
  }

  /** How many turns it took. */
  async run(): Promise<number> {
    this.start();
    let written = 0;
    let step = 0;
    for (; step < stepsMax; step += 1) {
      this.world.faults = written < this.all.length ? 0.02 : 0;
      if (this.world.chance(0.15) && written < this.all.length) {
        const next = this.all.slice(written, written + this.world.upTo(4));
        this.events.push(...next);
        written += next.length;
      }
      if (written < this.all.length) this.trouble();
      else this.calm();
      const moved = await this.world.step();
      if (written === this.all.length && this.isDone()) break;
      if (!moved && this.processes.size === 0) this.start();
    }
    await this.end();
    return step;
  }

  /** Everything is folded or parked up to the head. */
  private isDone(): boolean {
    const head = this.all.at(-1)?.position ?? 0n;
    return this.parts.every(({ sink }) => {
      const text = sink.keys.get(ownKeys.checkpoint);
      return typeof text === 'string' && (decodeCheckpoint(text)?.position ?? 0n) >= head;
    });
  }

  private trouble(): void {
    const living = [...this.processes.keys()].filter((name) => !this.stalled.includes(name));
    const one = living[Math.floor(this.world.random() * living.length)];
    const fate = this.world.random();
    if (one !== undefined && fate < 0.01) this.crash(one);
    if (one !== undefined && fate > 0.99) {
      this.world.stall(one);
      this.stalled.push(one);
    }
    // An engine that is killed may come back as it was a moment ago.
    if (this.world.chance(0.004)) this.remembered = this.parts.map(({ sink }) => copyOf(sink));
    else if (this.world.chance(0.002)) this.goBack();
    // Somebody who was away comes back, and still believes that the work is its own.
    if (this.world.chance(0.01)) this.wake();
    const active = this.processes.size - this.stalled.length;
    if (active === 0 || (active < 3 && this.world.chance(0.01))) this.start();
  }

  private calm(): void {
    while (this.stalled.length > 0) this.wake();
    if (this.processes.size === 0) this.start();
  }

  /** All parts at once: they are kept in one file. */
  private goBack(): void {
    for (const [index, keys] of this.remembered.entries()) {
      const { sink } = this.parts[index] as Part;
      sink.keys.clear();
      for (const [key, stored] of copyOf({ keys })) sink.keys.set(key, stored);
    }
  }

  private wake(): void {
    const name = this.stalled.shift();
    if (name !== undefined) this.world.wake(name);
  }

  private start(): void {
    this.serial += 1;
    const name = `process-${this.serial}`;
    const stop = new AbortController();
    this.processes.set(name, stop);
    const limits = { ...defaultRunnerLimits, eventsMax: this.world.upTo(20), wordsMax: 10 * this.world.upTo(40) };
    const runners = this.parts.map((part) =>
      runnerOf(part.projection, new WorldSink(this.world, name, part.sink), { ...part, limits }),
    );
    const backoff = { reset: () => undefined, wait: () => this.world.pause(name).catch(() => undefined) };
    const log = new WorldLog(this.world, name, this.events);
    const fault = (error: unknown) => {
      if (!(error instanceof SimulatedFault)) throw error;
    };
    void new Lane(log, plainDecoder, runners, { fault }, backoff).run(stop.signal);
  }

  private crash(name: string): void {
    this.world.crash(name);
    this.processes.delete(name);
  }

  /** Fails at the second event of a broken stream, after half of the work. */
  private fragile(projection: DocumentProjection): DocumentProjection {
    const on = Object.entries(projection.on).map(([type, handler]) => [
      type,
      {
        ...handler,
        apply: (event, view) => {
          if (this.broken.has(event.stream) && event.revision === 1) {
            view.put('half:done', { of: event.id });
            throw new Error('cannot fold this');
          }
          handler.apply(event, view);
        },
      } satisfies DocumentProjection['on'][string],
    ]);
    return { ...projection, on: Object.fromEntries(on) };
  }

  private async end(): Promise<void> {
    expect({ seed: this.seed, done: this.isDone() }).toEqual({ seed: this.seed, done: true });
    await this.compare('with what is broken parked');
    for (const name of this.processes.keys()) this.crash(name);
    this.broken.clear();
    for (const part of this.parts) await this.retryAll(part);
    await this.compare('after everything was mended and retried');
    for (const { sink } of this.parts) {
      const { parkedKeys, deadLetters } = await sink.state();
      expect({ parkedKeys: parkedKeys.size, deadLetters }).toEqual({ parkedKeys: 0, deadLetters: 0 });
    }
  }

  private async compare(when: string): Promise<void> {
    for (const { projection, shard, shards, sink } of this.parts) {
      const expected = new MemorySink();
      await fold(projection, this.all, expected, { shard, shards });
      const about = { seed: this.seed, when, projection: projection.name, shard };
      expect({ ...about, documents: sink.all() }).toEqual({ ...about, documents: expected.all() });
    }
  }

  private async retryAll({ projection, shard, shards, sink }: Part): Promise<void> {
    const texts = sink.keys.get(ownKeys.deadLetters);
    const letters = texts instanceof Map ? [...texts.values()].map((text) => JSON.parse(text) as DeadLetter) : [];
    const inOrder = letters.toSorted((a, b) => Number(BigInt(a.position) - BigInt(b.position)));
    const runner: DocumentRunner = runnerOf(projection, sink, { shard, shards });
    for (let waiting = inOrder; waiting.length > 0; ) {
      const group = dependents(waiting, waiting.slice(0, 1));
      const logged = group.map(
        ({ position }) => this.all.find((event) => String(event.position) === position) as LogEvent,
      );
      const page = await decodePage(logged, plainDecoder, () => true);
      const outcome = await runner.retry(page.map((event, index) => ({ event, letter: group[index] as DeadLetter })));
      expect(outcome?.folded).toHaveLength(group.length);
      waiting = waiting.filter((letter) => !group.includes(letter));
    }
  }
}

describe('the projector, whatever happens', () => {
  it.each(worldSeeds(40))('ends at the fold of the log: seed %d', async (seed) => {
    await new Simulation(seed).run();
  });

  it('is the same world for the same seed', async () => {
    expect(await new Simulation(77).run()).toBe(await new Simulation(77).run());
  });
});
