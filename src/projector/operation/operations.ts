// What an operator can ask of the document projections, in any process that reaches the log and the documents: how they are, a
// new build, back to the old one, a comparison with the log. Builds are asked for by their state; whoever holds the
// lease of the shard does them.
import type { EventLogReader } from '../../event-log/event-log.js';
import type { ShardName } from '../../kernel/document-keys.js';
import type { DocumentProjection } from '../../kernel/projection.js';
import { judgeBuild, type Verdict } from '../builds/build-judge.js';
import { type Builds, giveUp, goBackTo, isInTheMaking } from '../builds/builds.js';
import type { RunnerLimits } from '../fold/document-runner.js';
import type { Decoder } from '../fold/page.js';
import type { DocumentStore } from '../sinks/document-store.js';
import { DeadLetters } from './dead-letters.js';
import { type BuildStatus, documentStatus, progressOf, shardNames } from './document-status.js';
import { DocumentVerifier } from './document-verifier.js';
import type { VerifyReport } from './verifier.js';

/** One build of one shard. */
export interface ProjectionRow {
  readonly projection: string;
  readonly shard: number;
  readonly build: number;
  readonly state: string;
  readonly position: string;
  readonly lagEvents: number;
  /** There are more than `lagEvents`. */
  readonly lagCapped: boolean;
  readonly lagSeconds: number;
  readonly parkedKeys: number;
  readonly deadLetters: number;
  /** How far along the log it is, 0 to 1; by position, so about. */
  readonly progress: number;
}

export function projectionRow(status: BuildStatus, head: bigint): ProjectionRow {
  const { position, events, capped, seconds, ...build } = status;
  return {
    ...build,
    position: String(position),
    lagEvents: events,
    lagCapped: capped,
    lagSeconds: seconds,
    progress: progressOf(position, head),
  };
}

export class NoSuchProjection extends Error {
  constructor(name: string, known: readonly string[]) {
    super(`there is no projection ${name}; there are ${known.join(', ')}`);
    this.name = 'NoSuchProjection';
  }
}

/** There is no earlier build that this code could go on with. */
export class CannotGoBack extends Error {
  override readonly name = 'CannotGoBack';
  /** Of the problem that whoever asked is told, over HTTP and by the command line. */
  readonly code = 'no-earlier-build';
}

export interface OperationsOptions {
  readonly log: EventLogReader;
  readonly store: DocumentStore;
  /** Asked how the builds are, by whoever waits for it; absent: `store`. */
  readonly reader?: DocumentStore;
  readonly decoder: Decoder;
  readonly projections: readonly DocumentProjection[];
  readonly shards: number;
  readonly limits: RunnerLimits;
  /** Of a comparison; absent: verifiedKeysMax. */
  readonly keysMax?: number;
  readonly nowMs: () => number;
}

export class DocumentOperations {
  readonly letters: DeadLetters;

  constructor(private readonly options: OperationsOptions) {
    this.letters = new DeadLetters(options);
  }

  get names(): readonly string[] {
    return this.options.projections.map(({ name }) => name);
  }

  /** Builds that are read or being made, of one projection or all. */
  async status(projection?: string): Promise<ProjectionRow[]> {
    const { store, reader = store, log, shards, nowMs } = this.options;
    const head = await log.head();
    const names = shardNames(projection === undefined ? this.names : [projection], shards);
    const builds = await documentStatus(reader, log, names, nowMs());
    return builds.map((build) => projectionRow(build, head));
  }

  /** Begins a new build of every shard, in order; one being made already is taken for it. @throws NoSuchProjection */
  async rebuild(projection: string): Promise<readonly number[]> {
    return await this.each(projection, async (builds) => {
      const { states } = await builds.list();
      const making = [...states].find(([, state]) => state === 'building');
      return making ? making[0] : await builds.begin();
    });
  }

  /** Gives up what is being made, or gone back to. What is read stays, and what was kept is kept. @throws NoSuchProjection */
  async abort(projection: string): Promise<readonly number[]> {
    const aborted = await this.each(projection, async (builds) => {
      const { states } = await builds.list();
      const making = [...states].filter(([, state]) => isInTheMaking(state)).map(([build]) => build);
      for (const build of making) await giveUp(builds, build);
      return making;
    });
    return aborted.flat();
  }

  /**
   * Goes back to the build that was read before: it catches up, and then takes over. The build of each shard.
   * @throws NoSuchProjection, or CannotGoBack when some shard has no kept build that this code can go on with (then
   *   nothing is touched), or had it no more a moment later
   */
  async rollback(name: string): Promise<readonly number[]> {
    const kept = await this.each(name, (builds) => this.keptBuild(builds));
    await this.each(name, async (builds) => {
      if (await goBackTo(builds, kept[builds.name.shard] as number)) return;
      throw new CannotGoBack(`${name}/${builds.name.shard}: its builds were changed meanwhile`);
    });
    return kept;
  }

  /** Whatever the projector would not go on with, it would clear: so nothing else is asked for. */
  private async keptBuild(builds: Builds): Promise<number> {
    const { store, log } = this.options;
    const { projection: name, shard } = builds.name;
    const projection = this.projection(name);
    const { states } = await builds.list();
    const kept = [...states].filter(([, state]) => state === 'kept' || state === 'returning').map(([build]) => build);
    if (kept.length === 0) throw new CannotGoBack(`${name}/${shard}: no earlier build was kept`);
    const build = Math.max(...kept);
    const at = { id: await log.id(), head: () => log.head() };
    const verdict = await judgeBuild(store.sink(builds.name, build), projection, build, at);
    if (verdict === 'sound') return build;
    throw new CannotGoBack(`${name}/${shard}: build ${build} ${whyNot(verdict, projection)}`);
  }

  /** One report per shard. @throws NoSuchProjection, or Error when there is nothing to compare */
  async verify(name: string, signal?: AbortSignal): Promise<VerifyReport[]> {
    const projection = this.projection(name);
    const logId = await this.options.log.id();
    const reports: VerifyReport[] = [];
    for (const shard of this.shardsOf(name)) {
      reports.push(await new DocumentVerifier({ ...this.options, logId, projection, name: shard }).verify(signal));
    }
    return reports;
  }

  private projection(name: string): DocumentProjection {
    const projection = this.options.projections.find((one) => one.name === name);
    if (!projection) throw new NoSuchProjection(name, this.names);
    return projection;
  }

  private shardsOf(name: string): ShardName[] {
    return shardNames([this.projection(name).name], this.options.shards);
  }

  private async each<Value>(projection: string, work: (builds: Builds) => Promise<Value>): Promise<Value[]> {
    const values: Value[] = [];
    for (const name of this.shardsOf(projection)) values.push(await work(this.options.store.builds(name)));
    return values;
  }
}

function whyNot(verdict: Exclude<Verdict, 'sound'>, { version, settings }: DocumentProjection): string {
  if (verdict === 'outdated') {
    const [what, ours] = settings === undefined ? ['', ''] : [' or by other settings', `, ${settings}`];
    return `was made by another version of the code${what} than this one (${version}${ours}): run that one to read it`;
  }
  return verdict === 'beyond' ? 'knows more than the log' : 'is not whole';
}
