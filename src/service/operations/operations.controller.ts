// The operator's API: read models and parked events. Scope admin.
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Scopes } from '../../http/access/scopes.js';
import { Problem } from '../../http/problem/problem.js';
import { NoSuchLetter, type PlacedLetter, type RetryOutcome } from '../../projector/operation/dead-letters.js';
import { CannotGoBack, NoSuchProjection, type ProjectionRow } from '../../projector/operation/operations.js';
import type { Operations, VerifyAnswer } from './operations.js';

export const OPERATIONS = Symbol('OPERATIONS');

const Name = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'the name of a read model');
const Position = z.string().regex(/^\d{1,20}$/, 'a position: digits');
const DropBody = z.strictObject({ reason: z.string().min(1).max(300) }).meta({ id: 'DropBody' });

/** The builds that were begun, one per shard, in order. */
export interface Begun {
  readonly builds: readonly number[];
}

async function found<Value>(asked: Promise<Value>): Promise<Value> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof NoSuchProjection || error instanceof NoSuchLetter)
      throw new Problem('not-found', error.message);
    if (error instanceof CannotGoBack) throw new Problem(error.code, error.message);
    throw error;
  }
}

@ApiTags('operation')
@Scopes('admin')
@Controller('v1/projections')
export class ProjectionsController {
  constructor(@Inject(OPERATIONS) private readonly operations: Operations) {}

  @Get()
  async status(): Promise<{ readonly parts: readonly string[]; readonly items: readonly ProjectionRow[] }> {
    return { parts: await this.operations.parts(), items: await this.operations.status() };
  }

  /** Answers when the new build is begun; its progress is in the status, and it is gone from there if it is given up. */
  @Post(':name/rebuild')
  @HttpCode(202)
  async rebuild(@Param('name', { schema: Name }) name: string): Promise<Begun> {
    return { builds: await found(this.operations.rebuild(name)) };
  }

  @Post(':name/abort')
  @HttpCode(204)
  abort(@Param('name', { schema: Name }) name: string): Promise<void> {
    return found(this.operations.abort(name));
  }

  @Post(':name/rollback')
  @HttpCode(202)
  async rollback(@Param('name', { schema: Name }) name: string): Promise<Begun> {
    return { builds: await found(this.operations.rollback(name)) };
  }

  /** Answers when everything is compared. */
  @Post(':name/verify')
  @HttpCode(200)
  async verify(@Param('name', { schema: Name }) name: string): Promise<{ readonly items: readonly VerifyAnswer[] }> {
    return { items: await found(this.operations.verify(name)) };
  }
}

@ApiTags('operation')
@Scopes('admin')
@Controller('v1/dead-letters')
export class DeadLettersController {
  constructor(@Inject(OPERATIONS) private readonly operations: Operations) {}

  @Get()
  async list(
    @Query('projection', { schema: Name.optional() }) projection: string | undefined,
  ): Promise<{ readonly items: readonly PlacedLetter[] }> {
    return { items: await found(this.operations.deadLetters(projection)) };
  }

  @Get(':projection/:position')
  async show(
    @Param('projection', { schema: Name }) projection: string,
    @Param('position', { schema: Position }) position: string,
  ): Promise<object> {
    const { letter, event } = await found(this.operations.deadLetter(projection, position));
    // Of the event what an operator may see: not what people wrote.
    const shown = typeof event === 'string' ? event : { ...event, position: String(event.position), data: undefined };
    return { letter, event: shown };
  }

  /** Everything that is parked of a projection. */
  @Post(':projection/retry')
  @HttpCode(200)
  retryAll(@Param('projection', { schema: Name }) projection: string): Promise<RetryOutcome> {
    return found(this.operations.retry(projection));
  }

  /** One event, with what depends on it. */
  @Post(':projection/:position/retry')
  @HttpCode(200)
  retry(
    @Param('projection', { schema: Name }) projection: string,
    @Param('position', { schema: Position }) position: string,
  ): Promise<RetryOutcome> {
    return found(this.operations.retry(projection, position));
  }

  @Post(':projection/:position/drop')
  @HttpCode(200)
  drop(
    @Param('projection', { schema: Name }) projection: string,
    @Param('position', { schema: Position }) position: string,
    @Body({ schema: DropBody }) { reason }: z.infer<typeof DropBody>,
  ): Promise<RetryOutcome> {
    return found(this.operations.drop(projection, position, reason));
  }
}
