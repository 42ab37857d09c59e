// One logger (pino) for the service, Fastify and Nest. A line never holds a key, a body, a query or a name.
import type { LoggerService } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { type Logger, type LoggerOptions, pino } from 'pino';

/** Requests are described by their route, not by their URL: a URL may hold a link's code or a member's id. */
function describeRequest(request: FastifyRequest): object {
  return { method: request.method, route: request.routeOptions?.url ?? 'unknown', requestId: request.id };
}

export function makeLogger(level: string): Logger {
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: ['authorization', '*.authorization', 'headers', '*.headers', 'token', '*.token', 'body', '*.body'],
    serializers: { req: describeRequest, err: pino.stdSerializers.err },
  };
  // To stderr: stdout is for what a person reads, and keys that are shown once must not end up among log lines.
  return pino(options, pino.destination({ fd: 2, sync: true }));
}

/** Where Nest tells every route and module at each start. */
const wordy = new Set(['InstanceLoader', 'RouterExplorer', 'RoutesResolver', 'NestFactory']);

function textOf(message: unknown): string {
  return message instanceof Error ? message.message : String(message);
}

/** Nest's calls: `(message, ...details, context)`; an error may be the message or the first detail. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  private write(level: 'info' | 'error' | 'warn' | 'debug' | 'fatal', message: unknown, rest: unknown[]): void {
    const context = typeof rest.at(-1) === 'string' ? (rest.at(-1) as string) : undefined;
    const err = [message, ...rest].find((part) => part instanceof Error);
    const stack = err === undefined && level === 'error' && rest.length > 1 ? { stack: String(rest[0]) } : {};
    this.logger[level](
      { ...(context === undefined ? {} : { context }), ...(err ? { err } : {}), ...stack },
      textOf(message),
    );
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.write(wordy.has(String(rest.at(-1))) ? 'debug' : 'info', message, rest);
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }
}
