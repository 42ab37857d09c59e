// What is wrong before there is a request: a path that is none, headers without end, bytes that are not HTTP. It is told
// like everything else that goes wrong, and never repeats what was sent.
import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem, render } from './problem.js';

/** Fastify found no way to a route: the path cannot be decoded, or a part of it is longer than any id. */
export function answerBadPath(_error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const { status, headers, body } = render(new Problem('invalid-path', 'this path cannot be read'), request.id);
  void reply.code(status).headers(headers).header('x-request-id', request.id).send(JSON.stringify(body));
}

const problems: Readonly<Record<string, Problem>> = {
  HPE_HEADER_OVERFLOW: new Problem('headers-too-large', 'the headers are larger than 16 KiB'),
  ERR_HTTP_REQUEST_TIMEOUT: new Problem('request-timeout', 'the request did not come in whole in time'),
};
const notHttp = new Problem('malformed-http', 'this is not HTTP as RFC 9112 has it');

/** Node's parser gave up, and with it the connection. */
export function answerBadBytes(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable) {
    const { status, headers, body } = render(problems[error.code ?? ''] ?? notHttp, randomUUID());
    const text = JSON.stringify(body);
    const all = { ...headers, 'content-length': String(Buffer.byteLength(text)), connection: 'close' };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${text}`);
  }
  socket.destroy(error);
}
