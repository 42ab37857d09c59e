// What an operator can do with the read models, whether in a running service, over its API, or on the engines of a
// stopped one: one interface, so that the CLI does not care.
import type { AnyEvent } from '../../kernel/projection.js';
import type { PlacedLetter, RetryOutcome } from '../../projector/operation/dead-letters.js';
import { type DocumentOperations, NoSuchProjection, type ProjectionRow } from '../../projector/operation/operations.js';
import type { Difference, VerifyReport } from '../../projector/operation/verifier.js';

/** A report as JSON can carry it. */
export interface VerifyAnswer extends Omit<VerifyReport, 'position'> {
  readonly position: string;
}

export interface Operations {
  /** Names of the read models. */
  parts(): Promise<readonly string[]>;
  /** Builds that are read or being made. */
  status(): Promise<readonly ProjectionRow[]>;
  /** The builds asked for, one per shard, in order. They are read once they are `active`; one that is gone was given up. */
  rebuild(part: string): Promise<readonly number[]>;
  /** Gives up what is being made, or gone back to. What is read stays, and what was kept is kept. */
  abort(part: string): Promise<void>;
  /** As rebuild. @throws CannotGoBack */
  rollback(part: string): Promise<readonly number[]>;
  verify(part: string): Promise<readonly VerifyAnswer[]>;
  deadLetters(projection?: string): Promise<readonly PlacedLetter[]>;
  deadLetter(
    projection: string,
    position: string,
  ): Promise<{ readonly letter: PlacedLetter; readonly event: AnyEvent | string }>;
  /** Without a position: all of the projection. */
  retry(projection: string, position?: string): Promise<RetryOutcome>;
  drop(projection: string, position: string, reason: string): Promise<RetryOutcome>;
}

/** One read model, whatever it is kept in. */
export interface OperablePart {
  readonly name: string;
  status(): Promise<readonly ProjectionRow[]>;
  /** The number of the build, or one per shard. */
  rebuild(): Promise<number | readonly number[]>;
  abort(): Promise<unknown>;
  rollback(): Promise<number | readonly number[]>;
  verify(signal?: AbortSignal): Promise<readonly VerifyReport[]>;
  list(): Promise<readonly PlacedLetter[]>;
  show(position: string): ReturnType<Operations['deadLetter']>;
  retry(position?: string): Promise<RetryOutcome>;
  drop(position: string, reason: string): Promise<RetryOutcome>;
}

export class LocalOperations implements Operations {
  private readonly all: readonly OperablePart[];

  constructor(documents: DocumentOperations, others: readonly OperablePart[] = []) {
    this.all = [...documents.names.map((name) => documentPart(documents, name)), ...others];
  }

  async parts(): Promise<readonly string[]> {
    return this.all.map(({ name }) => name);
  }

  async status(): Promise<readonly ProjectionRow[]> {
    return (await Promise.all(this.all.map((part) => part.status()))).flat();
  }

  async rebuild(part: string): Promise<readonly number[]> {
    return [await this.one(part).rebuild()].flat();
  }

  async abort(part: string): Promise<void> {
    await this.one(part).abort();
  }

  async rollback(part: string): Promise<readonly number[]> {
    return [await this.one(part).rollback()].flat();
  }

  async verify(part: string): Promise<readonly VerifyAnswer[]> {
    const reports = await this.one(part).verify();
    return reports.map(({ position, ...report }) => ({ ...report, position: String(position) }));
  }

  async deadLetters(projection?: string): Promise<readonly PlacedLetter[]> {
    const parts = projection === undefined ? this.all : [this.one(projection)];
    return (await Promise.all(parts.map((part) => part.list()))).flat();
  }

  async deadLetter(projection: string, position: string): ReturnType<Operations['deadLetter']> {
    return await this.one(projection).show(position);
  }

  async retry(projection: string, position?: string): Promise<RetryOutcome> {
    return await this.one(projection).retry(position);
  }

  async drop(projection: string, position: string, reason: string): Promise<RetryOutcome> {
    return await this.one(projection).drop(position, reason);
  }

  private one(name: string): OperablePart {
    const part = this.all.find((candidate) => candidate.name === name);
    if (part) return part;
    throw new NoSuchProjection(
      name,
      this.all.map((known) => known.name),
    );
  }
}

function documentPart(documents: DocumentOperations, name: string): OperablePart {
  return {
    name,
    status: () => documents.status(name),
    rebuild: () => documents.rebuild(name),
    abort: () => documents.abort(name),
    rollback: () => documents.rollback(name),
    verify: (signal) => documents.verify(name, signal),
    list: () => documents.letters.list(name),
    show: (position) => documents.letters.show(name, position),
    retry: (position) => documents.letters.retry(name, position),
    drop: (position, reason) => documents.letters.drop(name, position, reason),
  };
}

/** One difference on one line. */
export function describeDifference({ at, expected, found }: Difference): string {
  const shown = (value: unknown) => (value === undefined ? 'nothing' : JSON.stringify(value));
  return `${at}: expected ${shown(expected)}, found ${shown(found)}`;
}
