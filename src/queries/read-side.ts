// What every question does alike: wait until the read models have passed the caller's position, read, and say as of when
// the answer is and whether it is older than asked for.
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader, ApiQuery } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../http/problem/problem.js';
import { toIso } from '../kernel/clock.js';
import type { Checkpoint, ShardName } from '../kernel/document-keys.js';
import { decodePositionToken, type PositionToken } from '../kernel/position-token.js';
import type { Progress } from '../stores/documents/progress.js';
import { type AddReads, type DocumentReader, DocumentsNotReady } from '../stores/documents/reader.js';

/** How fresh an answer is. */
export interface Freshness {
  /** Everything the log took up to this instant is in the answer; absent: nothing is recorded yet. */
  readonly asOf?: string;
  /** True: something that was read for it is of before the position asked for. */
  readonly stale: boolean;
}

const notReadyRetrySec = 1;

/** The position token of `minPosition`, or else of the Homing-Position header. @throws Problem `bad-position` */
export const MinPosition = createParamDecorator((_: unknown, context: ExecutionContext): PositionToken | undefined => {
  const request = context.switchToHttp().getRequest<FastifyRequest<{ Querystring: Record<string, unknown> }>>();
  const text = request.query['minPosition'] ?? request.headers['homing-position'];
  if (text === undefined || text === '') return undefined;
  const token = typeof text === 'string' ? decodePositionToken(text) : undefined;
  if (!token) throw new Problem('bad-position', 'minPosition is not a position that a write answered');
  return token;
});

/** Tells the API's description that a route takes a position. */
export function TakesPosition(): MethodDecorator {
  const header = ApiHeader({ name: 'Homing-Position', required: false, description: 'As minPosition.' });
  const query = ApiQuery({
    name: 'minPosition',
    required: false,
    type: String,
    description: 'Show at least what the write that answered this position did; else `stale` is true.',
  });
  return (target, key, descriptor) => {
    header(target, key, descriptor);
    query(target, key, descriptor);
  };
}

export class ReadSide {
  constructor(
    private readonly reader: DocumentReader,
    private readonly progress: Progress,
    private readonly logId: string,
    private readonly waitMsMax: number,
  ) {}

  /** Starts one answer that rests on these projections. @throws Problem `bad-position` */
  async begin(projections: readonly string[], min: PositionToken | undefined): Promise<Answer> {
    if (!min) return new Answer(this.reader, this.progress, undefined);
    if (min.logId !== this.logId) throw new Problem('bad-position', 'this position is of another log');
    const names = projections.flatMap((projection) =>
      Array.from({ length: this.reader.shards }, (_, shard) => ({ projection, shard, shards: this.reader.shards })),
    );
    await this.progress.waitFor(names, min.position, this.waitMsMax);
    return new Answer(this.reader, this.progress, min.position);
  }
}

/** The reads of one answer, and the oldest state that any of them saw: whatever was waited for, that is what it shows. */
export class Answer {
  private oldest: number | undefined;
  private stale = false;

  constructor(
    private readonly reader: DocumentReader,
    private readonly progress: Progress,
    private readonly minPosition: bigint | undefined,
  ) {}

  /** @throws Problem `store-unavailable` while there is no build to read */
  async read(projection: string, ownerId: string, add: AddReads): Promise<readonly unknown[]> {
    const { replies, checkpoint } = await notReady(this.reader.read(projection, ownerId, add));
    this.seen(this.reader.shardName(projection, ownerId), checkpoint);
    return replies;
  }

  /** As read, with one command per owner. */
  async readEach<Value>(
    projection: string,
    ownerIds: readonly string[],
    ...[add, parse]: [Parameters<DocumentReader['readEach']>[2], (reply: unknown, index: number) => Value]
  ): Promise<Value[]> {
    const seen = (name: ShardName, checkpoint: Checkpoint) => this.seen(name, checkpoint);
    return await notReady(this.reader.readEach(projection, ownerIds, add, parse, seen));
  }

  get freshness(): Freshness {
    return { ...(this.oldest ? { asOf: toIso(this.oldest) } : {}), stale: this.stale };
  }

  private seen(name: ShardName, { position, recordedAt }: Checkpoint): void {
    this.oldest = Math.min(this.oldest ?? recordedAt, recordedAt);
    if (this.minPosition === undefined || position >= this.minPosition) return;
    this.stale = true;
    // It may have been further: a Redis that came back from an older file. Who asks next waits for it again.
    this.progress.saw(name, position);
  }
}

/** @throws Problem `store-unavailable` while there is no build to read */
export async function notReady<Value>(reading: Promise<Value>): Promise<Value> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof DocumentsNotReady)) throw error;
    throw new Problem('store-unavailable', 'the read models are being built', { retryAfterSec: notReadyRetrySec });
  }
}

export function parsed<Document>(reply: unknown): Document | undefined {
  return typeof reply === 'string' ? (JSON.parse(reply) as Document) : undefined;
}
