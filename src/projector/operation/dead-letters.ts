// Parked events, looked at and dealt with by hand: listed, tried again through the same decoding and projection, or
// dropped for good. Works beside a running projector, in any process: the checkpoint's epoch fences that one off.
import type { EventLogReader, LogEvent } from '../../event-log/event-log.js';
import { decodeCheckpoint, encodeCheckpoint, ownKeys, type ShardName } from '../../kernel/document-keys.js';
import type { AnyEvent, DocumentProjection } from '../../kernel/projection.js';
import type { Builds } from '../builds/builds.js';
import { DocumentRunner, type RunnerLimits } from '../fold/document-runner.js';
import { freshNonce } from '../fold/nonce.js';
import { type Decoder, decodePage, type PageEvent } from '../fold/page.js';
import { type DeadLetter, dependents, unpark } from '../fold/parking.js';
import type { BuildSink } from '../sinks/document-sink.js';
import type { DocumentStore } from '../sinks/document-store.js';
import { systemTimers } from '../timers.js';
import { parkedEvent } from './parked-event.js';

/** Tries against a projector that keeps writing. */
const triesMax = 50;
const retryPauseMs = 20;

export interface PlacedLetter extends DeadLetter {
  readonly projection: string;
  readonly shard: number;
}

export interface RetryOutcome {
  readonly folded: number;
  readonly stillParked: number;
  /** Builds that were begun because the order mattered. */
  readonly rebuilding: readonly number[];
}

export interface DeadLetterOptions {
  readonly log: EventLogReader;
  readonly store: DocumentStore;
  readonly decoder: Decoder;
  readonly projections: readonly DocumentProjection[];
  readonly shards: number;
  readonly limits: RunnerLimits;
}

interface Desk {
  readonly projection: DocumentProjection;
  readonly builds: Builds;
  readonly sink: BuildSink;
}

export class NoSuchLetter extends Error {
  constructor(projection: string, position: string) {
    super(`${projection}: no event is parked at position ${position}`);
    this.name = 'NoSuchLetter';
  }
}

export class DeadLetters {
  constructor(private readonly options: DeadLetterOptions) {}

  /** In the order of the log within each shard. */
  async list(projection?: string): Promise<PlacedLetter[]> {
    const desks = await this.desks(projection);
    const lists = await Promise.all(
      desks.map(async ({ builds: { name }, sink }) =>
        (await sink.deadLetters()).map((letter) => ({ ...letter, projection: name.projection, shard: name.shard })),
      ),
    );
    return lists.flat();
  }

  /** The letter and the event as the projections see it now. @throws NoSuchLetter */
  async show(
    projection: string,
    position: string,
  ): Promise<{ readonly letter: PlacedLetter; readonly event: AnyEvent | string }> {
    const letter = (await this.list(projection)).find((one) => one.position === position);
    if (!letter) throw new NoSuchLetter(projection, position);
    const [{ decoded } = { decoded: undefined }] = await this.events([letter]);
    return { letter, event: decoded instanceof Error ? decoded.message : (decoded as AnyEvent) };
  }

  /** Tries one letter again with what depends on it, or all of a projection. @throws NoSuchLetter */
  async retry(projection: string, position?: string): Promise<RetryOutcome> {
    let folded = 0;
    const rebuilding: number[] = [];
    let found = position === undefined;
    for (const desk of await this.desks(projection)) {
      const letters = await desk.sink.deadLetters();
      const asked = position === undefined ? letters : letters.filter((letter) => letter.position === position);
      if (asked.length === 0) continue;
      found = true;
      const count = await this.retryOn(desk, asked);
      folded += count;
      if (count > 0 && desk.projection.ordersAcrossKeys) rebuilding.push(await desk.builds.begin());
    }
    if (!found) throw new NoSuchLetter(projection, position ?? '');
    return { folded, stillParked: (await this.list(projection)).length, rebuilding };
  }

  /** Leaves the event out of the projection for good, in later builds too, and tries what waited for it. @throws NoSuchLetter */
  async drop(projection: string, position: string, reason: string): Promise<RetryOutcome> {
    for (const desk of await this.desks(projection)) {
      const letters = await desk.sink.deadLetters();
      const letter = letters.find((one) => one.position === position);
      if (!letter) continue;
      const waiting = dependents(letters, [letter]).filter((one) => one !== letter);
      await this.dropOn(desk, letter, waiting, reason);
      const folded = waiting.length > 0 ? await this.retryOn(desk, waiting) : 0;
      const rebuilding = folded > 0 && desk.projection.ordersAcrossKeys ? [await desk.builds.begin()] : [];
      return { folded, stillParked: (await this.list(projection)).length, rebuilding };
    }
    throw new NoSuchLetter(projection, position);
  }

  private async desks(only?: string): Promise<Desk[]> {
    const { projections, store, shards } = this.options;
    const desks: Desk[] = [];
    for (const projection of projections) {
      if (only !== undefined && projection.name !== only) continue;
      for (let shard = 0; shard < shards; shard += 1) {
        const name: ShardName = { projection: projection.name, shard, shards };
        const builds = store.builds(name);
        const { active } = await builds.list();
        if (active !== undefined) desks.push({ projection, builds, sink: store.sink(name, active) });
      }
    }
    return desks;
  }

  /** How many were folded. */
  private async retryOn({ projection, builds, sink }: Desk, asked: readonly DeadLetter[]): Promise<number> {
    const { shards, limits, log } = this.options;
    const options = { shard: builds.name.shard, shards, logId: await log.id(), limits };
    const runner = new DocumentRunner(projection, sink, options);
    for (let attempt = 0; attempt < triesMax; attempt += 1) {
      // Looked up each time: more may have been parked meanwhile.
      const letters = dependents(await sink.deadLetters(), asked);
      const events = await this.events(letters);
      const outcome = await runner.retry(
        events.map((event, index) => ({ event, letter: letters[index] as DeadLetter })),
      );
      if (outcome) return outcome.folded.length;
      await systemTimers.sleep(retryPauseMs * systemTimers.random());
    }
    throw new Error(`${projection.name}: the projector kept writing; nothing was retried, try again`);
  }

  private async dropOn(
    { projection, sink }: Desk,
    letter: DeadLetter,
    waiting: readonly DeadLetter[],
    reason: string,
  ): Promise<void> {
    for (let attempt = 0; attempt < triesMax; attempt += 1) {
      const { checkpoint } = await sink.state();
      const at = checkpoint === undefined ? undefined : decodeCheckpoint(checkpoint);
      if (!at) break;
      const dropped = JSON.stringify({ ...letter, reason });
      const refused = await sink.commit({
        expected: checkpoint,
        next: encodeCheckpoint({ ...at, epoch: at.epoch + 1 }, freshNonce()),
        commands: [...unpark([letter], waiting), ['HSET', ownKeys.dropped, letter.position, dropped]],
      });
      if (!refused) return;
      await systemTimers.sleep(retryPauseMs * systemTimers.random());
    }
    throw new Error(`${projection.name}: the projector kept writing; nothing was dropped, try again`);
  }

  /** The parked events, from the log, decoded as they are now. */
  private async events(letters: readonly DeadLetter[]): Promise<PageEvent[]> {
    const found: LogEvent[] = [];
    for (const letter of letters) {
      const event = await parkedEvent(this.options.log, letter);
      if (event) found.push(event);
    }
    if (found.length < letters.length) throw new Error('a parked event is not in the log any more');
    return await decodePage(found, this.options.decoder, () => true);
  }
}
