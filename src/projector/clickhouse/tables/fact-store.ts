// Where the facts are kept, as the projector sees it. Two stores keep this contract (ClickHouse, memory) and one suite
// holds them to it.
import type { Chunk } from '../chunk/chunk.js';
import type { ChunkPlan } from '../chunk/plan-log.js';

export interface FactStore {
  tables(build: number): BuildTables;
  readonly published: PublishedBuilds;
}

/** How far a build has come, beside its data. */
export interface Progress {
  readonly logId: string;
  readonly position: bigint;
  readonly completeUpToMs: number;
  readonly planRevision: number;
}

/** Chunks of which something is missing, and how to fold them again. */
export interface Repair {
  readonly plans: readonly ChunkPlan[];
  readonly chunkOf: (plan: ChunkPlan) => Promise<Chunk>;
}

/** The fact table of one build, its roll-ups and its marks. */
export interface BuildTables {
  readonly build: number;
  create(): Promise<void>;
  /** As often as it is said, it is there once. */
  insert(plan: ChunkPlan, chunk: Chunk): Promise<void>;
  /** The cheap check after every insert: as many rows, and of the same events, as were planned. */
  holds(plan: ChunkPlan): Promise<boolean>;
  /** Every row of one chunk, and each roll-up's share of it, but for sums: what those owe to one chunk cannot be told. */
  chunkDifferences(plan: ChunkPlan, chunk: Chunk): Promise<readonly string[]>;
  /** Roll-ups of sums against the rows of these months. */
  sumDifferences(months: readonly number[]): Promise<readonly string[]>;
  /** The thorough check after a crash: the chunk, how many rows there are in all, and every roll-up of its months. */
  losses(plan: ChunkPlan, chunk: Chunk): Promise<readonly string[]>;
  /** Those of the plans, by chunk, that are not there as they were planned. */
  incomplete(plans: ReadonlyMap<bigint, ChunkPlan>): Promise<readonly ChunkPlan[]>;
  /**
   * Puts chunks in the place of what is there of them, and makes every roll-up of their months right.
   * @param attempt the plan that was made for this repair, of which the months are those of all the chunks: its tokens
   *   are nobody else's, and until it is carried out the check of its months finds what is missing
   */
  repair(attempt: ChunkPlan, chunks: Repair): Promise<void>;
  /**
   * A digest of each month's rows up to a position, in which neither their order nor their chunks matter; without events
   * that are parked here or in the build beside.
   */
  months(upTo: bigint, beside: number): Promise<ReadonlyMap<string, string>>;
  progress(): Promise<Progress | undefined>;
  /** Never back. */
  saveProgress(progress: Progress): Promise<void>;
  /** What a plan says of parked events, where an operator can list it. */
  saveOutcome(plan: ChunkPlan): Promise<void>;
  /** By the plain names people who write SQL see this build. */
  showPlainly(): Promise<void>;
  /** Nobody reads anything by the plain names until a build is shown again. */
  hidePlainNames(): Promise<void>;
  /** With its marks. */
  drop(): Promise<void>;
}

export interface Published {
  /** 0: readers read none. */
  readonly build: number;
  /** The highest one wins. */
  readonly activation: number;
}

export interface Mark {
  readonly build: number;
  readonly logId: string;
}

/** What the store itself says of the builds: which one readers read, and which numbers were ever used. */
export interface PublishedBuilds {
  read(): Promise<Published>;
  /** Readers read this build from now on, or none (0), unless a higher activation was written. */
  write(published: Published): Promise<void>;
  /** The highest number that any table or mark here bears: a new build must not find another one's rows. */
  highest(): Promise<number>;
  /** Builds that have marks here, with the log that they were made of. */
  marked(): Promise<readonly Mark[]>;
  /** Builds that have marks or a fact table here. */
  there(): Promise<ReadonlySet<number>>;
}
