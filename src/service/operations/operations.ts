// What an operator can do with the read models, whether in a running service, over its API, or on the engines of a
// stopped one: one interface, so that the CLI does not care.
import type { AnyEvent } from '../../kernel/projection.js';
import type { PlacedLetter, RetryOutcome } from '../../projector/dead-letters.js';
import { type DocumentOperations, NoSuchProjection, type ProjectionRow } from '../../projector/operations.js';
import type { Difference, VerifyReport } from '../../projector/verifier.js';

/** A report as JSON can carry it. */
export interface VerifyAnswer extends Omit<VerifyReport, 'position'> {
  readonly position: string;
}

export interface Operations {
  /** Names of the read models. */
  parts(): Promise<readonly string[]>;
  /** Builds that are read or being made. */
  status(): Promise<readonly ProjectionRow[]>;
  rebuild(part: string): Promise<void>;
  abort(part: string): Promise<void>;
  rollback(part: string): Promise<void>;
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

/** A read model that is no document projection. */
export interface OtherPart {
  readonly name: string;
  status(): Promise<readonly ProjectionRow[]>;
  rebuild(): Promise<unknown>;
  abort(): Promise<unknown>;
  rollback(): Promise<unknown>;
  verify(signal?: AbortSignal): Promise<readonly VerifyReport[]>;
}

export class LocalOperations implements Operations {
  constructor(
    private readonly documents: DocumentOperations,
    private readonly others: readonly OtherPart[] = [],
  ) {}

  async parts(): Promise<readonly string[]> {
    return [...this.documents.names, ...this.others.map(({ name }) => name)];
  }

  async status(): Promise<readonly ProjectionRow[]> {
    const rows = await Promise.all([this.documents.status(), ...this.others.map((other) => other.status())]);
    return rows.flat();
  }

  async rebuild(part: string): Promise<void> {
    await (this.other(part)?.rebuild() ?? this.documents.rebuild(part));
  }

  async abort(part: string): Promise<void> {
    await (this.other(part)?.abort() ?? this.documents.abort(part));
  }

  async rollback(part: string): Promise<void> {
    await (this.other(part)?.rollback() ?? this.documents.rollback(part));
  }

  async verify(part: string): Promise<readonly VerifyAnswer[]> {
    const reports = await (this.other(part)?.verify() ?? this.documents.verify(part));
    return reports.map(({ position, ...report }) => ({ ...report, position: String(position) }));
  }

  deadLetters(projection?: string): Promise<readonly PlacedLetter[]> {
    if (projection !== undefined) this.known(projection);
    return this.documents.letters.list(projection);
  }

  deadLetter(projection: string, position: string): ReturnType<Operations['deadLetter']> {
    this.known(projection);
    return this.documents.letters.show(projection, position);
  }

  retry(projection: string, position?: string): Promise<RetryOutcome> {
    this.known(projection);
    return this.documents.letters.retry(projection, position);
  }

  drop(projection: string, position: string, reason: string): Promise<RetryOutcome> {
    this.known(projection);
    return this.documents.letters.drop(projection, position, reason);
  }

  private known(projection: string): void {
    const { names } = this.documents;
    if (!names.includes(projection)) throw new NoSuchProjection(projection, names);
  }

  private other(part: string): OtherPart | undefined {
    return this.others.find(({ name }) => name === part);
  }
}

/** One difference on one line. */
export function describeDifference({ at, expected, found }: Difference): string {
  const shown = (value: unknown) => (value === undefined ? 'nothing' : JSON.stringify(value));
  return `${at}: expected ${shown(expected)}, found ${shown(found)}`;
}
