// Liveness: this process answers. Readiness: everything it needs does too; what that is, the parts say themselves.
import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Open } from '../access/scopes.js';

export interface Health {
  /** `degraded` still serves: something is parked or late. */
  readonly status: 'up' | 'degraded' | 'down';
  /** Why, in words for an operator; nothing secret, readiness is open. */
  readonly detail?: string;
}
/** A part's own answer to "can you do your work?". */
export interface HealthCheck {
  readonly name: string;
  check(): Promise<Health>;
}
export const HEALTH_CHECKS = Symbol('HEALTH_CHECKS');

/** A part that does not answer for so long is down. */
const checkMsMax = 2_000;

async function ask(part: HealthCheck): Promise<Health> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Health>((resolve) => {
    timer = setTimeout(() => resolve({ status: 'down', detail: `no answer in ${checkMsMax} ms` }), checkMsMax);
  });
  try {
    return await Promise.race([part.check(), late]);
  } catch (error) {
    return { status: 'down', detail: error instanceof Error ? error.message : 'failed' };
  } finally {
    clearTimeout(timer);
  }
}

@ApiTags('operation')
@Controller('health')
export class HealthController {
  constructor(@Inject(HEALTH_CHECKS) private readonly parts: readonly HealthCheck[]) {}

  @Get('live')
  @Open()
  live(): { status: string } {
    return { status: 'up' };
  }

  /** 503 when a part is down; 200 with `degraded` when it limps. */
  @Get('ready')
  @Open()
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const answers = await Promise.all(this.parts.map(async (part) => [part.name, await ask(part)] as const));
    const states = answers.map(([, { status }]) => status);
    const status = states.includes('down') ? 'down' : states.includes('degraded') ? 'degraded' : 'up';
    if (status === 'down') reply.code(503);
    return { status, parts: Object.fromEntries(answers) };
  }
}
