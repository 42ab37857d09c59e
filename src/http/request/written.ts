// What a write answers: its result, and the position token that a read may wait for, in the body and as a header.
import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  HttpCode,
  Inject,
  Injectable,
  type NestInterceptor,
  SetMetadata,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { z } from 'zod';
import { encodePositionToken } from '../../kernel/position-token.js';
import { Problem } from '../problem/problem.js';
import { TakesCircumstances } from './circumstances.js';

/** The identity of the event log: position tokens carry it. */
export const LOG_ID = Symbol('LOG_ID');

export interface Written<Result extends object = object> {
  readonly result: Result;
  readonly position: bigint;
  /** Over the route's own status: it was there already, say. */
  readonly status?: number;
  /** Sent instead of the result and the token, by a route that answers a page; the header tells the position all the same. */
  readonly page?: string;
}

function isWritten(value: unknown): value is Written {
  return typeof value === 'object' && value !== null && 'result' in value && 'position' in value;
}

/** Set on routes that answer a `revision`, and so may be asked to act only on a certain one. */
const HAS_REVISION = 'homing:has-revision';

@Injectable()
export class PositionInterceptor implements NestInterceptor {
  constructor(
    @Inject(LOG_ID) private readonly logId: string,
    private readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    this.refuseIdleCondition(context);
    return next.handle().pipe(
      map((value: unknown) => {
        if (!isWritten(value)) return value;
        const token = encodePositionToken({ logId: this.logId, position: value.position });
        const reply = context.switchToHttp().getResponse<FastifyReply>();
        reply.header('homing-position', token);
        if (value.status !== undefined) reply.code(value.status);
        return value.page ?? { ...value.result, position: token };
      }),
    );
  }

  /** A condition that is not looked at must not look as if it had been met. */
  private refuseIdleCondition(context: ExecutionContext): void {
    const { method, headers } = context.switchToHttp().getRequest<FastifyRequest>();
    if (headers['if-match'] === undefined || method === 'GET' || method === 'HEAD') return;
    if (this.reflector.get<boolean | undefined>(HAS_REVISION, context.getHandler())) return;
    throw new Problem('invalid-header', 'If-Match: what this route writes has no revision to match');
  }
}

/**
 * Declares what a write takes and answers: the headers of its circumstances, its status and the shape of its result; the
 * position token is always there. With a `revision` in it the route takes If-Match.
 */
export function Writes(status: 200 | 201, shape: z.ZodRawShape = {}): MethodDecorator {
  const position = z.string().meta({ description: 'What a read may wait for, as minPosition or Homing-Position.' });
  const conditional = [
    SetMetadata(HAS_REVISION, true),
    ApiHeader({ name: 'If-Match', required: false, description: 'Write only if the revision still is this one.' }),
  ];
  return applyDecorators(
    ...('revision' in shape ? conditional : []),
    TakesCircumstances(),
    HttpCode(status),
    ApiResponse({ status, description: 'Recorded.', standardSchema: z.object({ ...shape, position }) }),
  );
}
