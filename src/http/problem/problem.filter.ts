// The one place where a failure becomes an answer. Faults are logged with their stack, never with the request's body.
import { type ArgumentsHost, Catch, type ExceptionFilter, Inject, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { asProblem, FAULT_TRANSLATION, type FaultTranslation, Problem, render } from './problem.js';

@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('http');

  constructor(@Inject(FAULT_TRANSLATION) private readonly translate: FaultTranslation) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const known = asProblem(error, this.translate);
    if (!known) this.logger.error(`${request.method} ${request.routeOptions?.url ?? ''} ${request.id}`, error);
    const problem = known ?? new Problem('internal-error', 'something went wrong here; the request id names it');
    const { status, headers, body } = render(problem, request.id);
    // A stream of live updates has its head sent already; there is nothing left to say.
    if (reply.sent || reply.raw.headersSent) return;
    void reply.code(status).headers(headers).send(body);
  }
}
