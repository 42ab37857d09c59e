// The embedded log against the bare stores and against Emmett on PostgreSQL, fsync on everywhere.
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bareFiles, bareLmdb, homing, type Store } from './log-contenders.js';
import { emmettOn, installEmmett } from './log-emmett.js';
import { memoryLane } from './log-memory.js';
import { homingTyped, type TypedEvent, type TypedStore } from './log-typed.js';
import { bytesOf, eventType, messageSent, newEvent, stepsPerWriter } from './log-workload.js';
import { hasPostgres, Postgres } from './postgres.js';
import { protocolLanes } from './protocol.js';
import { type BenchOptions, type BenchSuite, type Contender, type Lane, race } from './suite.js';

interface Sizes {
  readonly rounds: number;
  readonly alone: number;
  readonly singles: number;
  readonly hundreds: number;
  readonly readBack: number;
  readonly memory: readonly [number, number];
}
const full: Sizes = {
  rounds: 5,
  alone: 5_000,
  singles: 64_000,
  hundreds: 192_000,
  readBack: 1_000_000,
  memory: [500_000, 5_000_000],
};
const small: Sizes = {
  rounds: 1,
  alone: 300,
  singles: 6_400,
  hundreds: 12_800,
  readBack: 20_000,
  memory: [20_000, 100_000],
};
/**
 * Emmett writes and reads this part of the events: about what it does in the same time. Its reading gets slower the more
 * there is, so the part favours it.
 */
const peerShare = 0.1;

/** What a lane needs of a store, whatever kind of event it takes. */
interface Appendable<Event> {
  append(stream: string, events: readonly Event[], last: number): Promise<void>;
  /** Called once it is filled: what the store's own upkeep would do sooner or later. */
  settle?(): Promise<void>;
  close(): Promise<void>;
}
interface Kind<Event, Store extends Appendable<Event>> {
  readonly name: string;
  open(directory: string): Promise<Store>;
}
type Make<Event> = (i: number, salt: string) => Event;

/** Contents are made beforehand: what is measured is the store. */
const contents = Array.from({ length: 4096 }, (_, i) => bytesOf(i));
const makeBytes = (i: number, salt: string): ReturnType<typeof newEvent> =>
  newEvent(i, contents[i % contents.length] as (typeof contents)[0], salt);
const makeTyped = (i: number): TypedEvent => ({ type: eventType, ...messageSent(i % 4096) });

let rounds = 0;

/** Gives events per second. */
async function writeAll<Event>(
  store: Appendable<Event>,
  make: Make<Event>,
  { writers, events, size }: { readonly writers: number; readonly events: number; readonly size: number },
): Promise<number> {
  const salt = `${rounds++}`;
  const plan = stepsPerWriter(writers, events / size, size).map((steps) =>
    steps.map(({ stream, last, first }) => ({
      stream,
      last,
      events: Array.from({ length: size }, (_, i) => make(first + i, salt)),
    })),
  );
  const began = performance.now();
  await Promise.all(
    plan.map(async (steps) => {
      for (const step of steps) await store.append(step.stream, step.events, step.last);
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  return plan.reduce((sum, steps) => sum + steps.length * size, 0) / seconds;
}

async function inDirectory<Result>(work: (directory: string) => Promise<Result>): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'homing-bench-'));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface AppendLane<Event, Store extends Appendable<Event>> {
  readonly lane: string;
  readonly kinds: readonly Kind<Event, Store>[];
  readonly make: Make<Event>;
  readonly writers: number;
  readonly events: number;
  readonly size: number;
  readonly rounds: number;
  /** The later kinds write this part of the events. */
  readonly share: number;
}

function appendLane<Event, Store extends Appendable<Event>>(lane: AppendLane<Event, Store>): Lane {
  const contenders = lane.kinds.map(
    (kind, i): Contender => ({
      subject: kind.name,
      measure: () =>
        inDirectory(async (directory) => {
          const store = await kind.open(join(directory, 'store'));
          try {
            return await writeAll(store, lane.make, {
              ...lane,
              events: i === 0 ? lane.events : lane.events * lane.share,
            });
          } finally {
            await store.close();
          }
        }),
    }),
  );
  return { lane: lane.lane, unit: 'events/s', contenders, rounds: lane.rounds };
}

interface ReadLanes<Event, Store> {
  /** Each reads all events once. */
  readonly lanes: Readonly<Record<string, (store: Store) => Promise<number>>>;
  readonly make: Make<Event>;
  readonly events: number;
  readonly rounds: number;
  /** The later kinds hold and read this part of the events. */
  readonly share: number;
}

/** Fills each store once and then reads it back, lane by lane, round after round. */
async function readLanes<Event, Store extends Appendable<Event>>(
  { lanes, make, events, rounds: times, share }: ReadLanes<Event, Store>,
  kinds: readonly Kind<Event, Store>[],
  options: BenchOptions,
): Promise<void> {
  if (!Object.keys(lanes).some((lane) => lane.includes(options.only))) return;
  await inDirectory(async (directory) => {
    const stores: { readonly kind: Kind<Event, Store>; readonly store: Store }[] = [];
    try {
      for (const [i, kind] of kinds.entries()) {
        const path = join(directory, `${i}`);
        mkdirSync(path);
        const store = await kind.open(path);
        stores.push({ kind, store });
        // In parts, so that what is prepared does not fill the memory.
        for (let left = i === 0 ? events : events * share; left > 0; left -= 100_000) {
          await writeAll(partOf(store, left), make, { writers: 16, events: Math.min(left, 100_000), size: 100 });
        }
        await store.settle?.();
      }
      for (const [lane, scan] of Object.entries(lanes)) {
        const contenders = stores.map(({ kind, store }): Contender => {
          const measure = async (): Promise<number> => {
            const began = performance.now();
            const count = await scan(store);
            return count / ((performance.now() - began) / 1000);
          };
          return { subject: kind.name, measure };
        });
        await race({ lane, unit: 'events/s', contenders, rounds: times }, options);
      }
    } finally {
      for (const { store } of stores) await store.close();
    }
  });
}

/** The same store under names of streams of its own. */
function partOf<Event>(store: Appendable<Event>, part: number): Appendable<Event> {
  return { append: (stream, events, last) => store.append(`${stream}_${part}`, events, last), close: async () => {} };
}

async function bareLanes(sizes: Sizes, options: BenchOptions): Promise<void> {
  const common = { kinds: [homing, bareLmdb, bareFiles], make: makeBytes, rounds: sizes.rounds, share: 1 };
  await race(appendLane({ ...common, lane: 'log/append-1-writer', writers: 1, events: sizes.alone, size: 1 }), options);
  await race(
    appendLane({ ...common, lane: 'log/append-64-writers', writers: 64, events: sizes.singles, size: 1 }),
    options,
  );
  await race(
    appendLane({ ...common, lane: 'log/append-100-events', writers: 64, events: sizes.hundreds, size: 100 }),
    options,
  );
  const { kinds, make } = common;
  const lanes = { 'log/read-back': (store: Store) => store.scan() };
  await readLanes({ lanes, make, events: sizes.readBack, rounds: sizes.rounds, share: 1 }, kinds, options);
}

async function peerLanes(sizes: Sizes, options: BenchOptions): Promise<void> {
  const lanes = [
    'log/typed-append-1-writer',
    'log/typed-append-64-writers',
    'log/typed-append-100-events',
    'log/typed-read-back',
    'log/typed-subscribe-from-cold',
  ];
  if (!lanes.some((lane) => lane.includes(options.only))) return;
  if (!hasPostgres()) return options.note('PostgreSQL is not installed: no lanes against Emmett');
  await inDirectory(async (directory) => {
    const paths = { modules: join(directory, 'modules'), postgres: join(directory, 'postgres') };
    // PostgreSQL runs as another user, which must get to its directory.
    chmodSync(directory, 0o755);
    for (const path of Object.values(paths)) mkdirSync(path);
    const modules = await installEmmett(paths.modules);
    if (!modules) return options.note('Emmett could not be installed: no lanes against it');
    const postgres = await Postgres.start(paths.postgres);
    try {
      const kinds = [homingTyped, emmettOn(postgres, modules)];
      const common = { kinds, make: makeTyped, rounds: sizes.rounds, share: peerShare };
      await race(
        appendLane({ ...common, lane: 'log/typed-append-1-writer', writers: 1, events: sizes.alone, size: 1 }),
        options,
      );
      await race(
        appendLane({ ...common, lane: 'log/typed-append-64-writers', writers: 64, events: sizes.singles, size: 1 }),
        options,
      );
      await race(
        appendLane({ ...common, lane: 'log/typed-append-100-events', writers: 64, events: sizes.hundreds, size: 100 }),
        options,
      );
      const reads = {
        'log/typed-read-back': (store: TypedStore) => store.scan(),
        'log/typed-subscribe-from-cold': (store: TypedStore) => store.follow(),
      };
      await readLanes({ ...common, lanes: reads, events: sizes.readBack }, kinds, options);
    } finally {
      postgres.stop();
    }
  });
}

export const benchLog: BenchSuite = async (options) => {
  const sizes = options.quick ? small : full;
  await bareLanes(sizes, options);
  await peerLanes(sizes, options);
  await protocolLanes(options);
  await memoryLane(sizes.memory, options);
};
