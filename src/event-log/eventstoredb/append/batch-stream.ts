// One BatchAppend stream and the appends that wait for an answer on it. Whatever the server sends (two answers for one
// append, an answer for none, half a message, nothing at all) ends in a settled promise and nowhere else.
import { randomUUID } from 'node:crypto';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { type AppendResult, LogUnavailable } from '../../event-log.js';
import type { Connection, StreamsClient } from '../connection.js';
import { type AppendAnswer, type AppendRequest, appendChunks, readAppendAnswer, resultOf } from './append-message.js';

interface Waiting {
  readonly request: AppendRequest;
  readonly sentAt: number;
  readonly timer: NodeJS.Timeout;
  resolve(result: AppendResult): void;
  reject(error: unknown): void;
}

/** The try's own timer ran out: whether the append was written is not known. */
export class AnswerMissing extends LogUnavailable {}

export interface BatchStreamOptions {
  readonly attemptTimeoutMs: number;
  /** The stream is over, for whatever reason: the next append needs another. */
  readonly onEnd: (error: Error) => void;
}

const identity = (chunk: Buffer): Buffer => chunk;

export class BatchStream {
  private readonly call: ClientDuplexStream<Buffer, AppendAnswer>;
  private readonly waiting = new Map<string, Waiting>();
  private lastAnswerAt = 0;
  private ended: Error | undefined;

  constructor(
    connection: Connection,
    readonly client: StreamsClient,
    private readonly options: BatchStreamOptions,
  ) {
    const { path } = streamsGrpc.StreamsService.batchAppend;
    const [metadata, callOptions] = connection.arguments();
    this.call = client.makeBidiStreamRequest(path, identity, readAppendAnswer, metadata, callOptions);
    this.call.on('data', (answer: AppendAnswer) => this.settle(answer));
    this.call.on('error', (error: Error) => this.end(error));
    this.call.on('end', () => this.end(new LogUnavailable('the server ended the append stream')));
  }

  get isOver(): boolean {
    return this.ended !== undefined;
  }

  /** One try. @throws EventLogError the server's answer; AnswerMissing; the error that ended the stream */
  append(request: AppendRequest): Promise<AppendResult> {
    if (this.ended) return Promise.reject(this.ended);
    const correlationId = randomUUID();
    const chunks = appendChunks(correlationId, request);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.giveUp(correlationId), this.options.attemptTimeoutMs);
      this.waiting.set(correlationId, { request, sentAt: Date.now(), timer, resolve, reject });
      for (const chunk of chunks) this.call.write(chunk);
    });
  }

  /** Ends the stream; everything that waits on it is rejected with `error`. */
  cancel(error: Error): void {
    this.end(error);
    this.call.cancel();
  }

  private settle(answer: AppendAnswer): void {
    const waiting = this.waiting.get(answer.correlationId);
    this.lastAnswerAt = Date.now();
    // Answered before, given up before, or never asked.
    if (!waiting) return;
    this.forget(answer.correlationId, waiting);
    try {
      waiting.resolve(resultOf(answer, waiting.request));
    } catch (error) {
      waiting.reject(error);
    }
  }

  private giveUp(correlationId: string): void {
    const waiting = this.waiting.get(correlationId);
    if (!waiting) return;
    this.forget(correlationId, waiting);
    const error = new AnswerMissing(
      `${waiting.request.stream}: no answer to an append within ${this.options.attemptTimeoutMs} ms`,
    );
    waiting.reject(error);
    // Others were answered meanwhile, so the stream lives; if none was, it is taken for dead.
    if (this.lastAnswerAt < waiting.sentAt) this.cancel(error);
  }

  private forget(correlationId: string, waiting: Waiting): void {
    clearTimeout(waiting.timer);
    this.waiting.delete(correlationId);
  }

  private end(error: Error): void {
    if (this.ended) return;
    this.ended = error;
    for (const [correlationId, waiting] of this.waiting) {
      this.forget(correlationId, waiting);
      waiting.reject(error);
    }
    this.options.onEnd(error);
  }
}
