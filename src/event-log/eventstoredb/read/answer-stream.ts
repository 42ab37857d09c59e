// One Read call, pulled: answers gather up to a page, then the call is paused, and HTTP/2's flow control reaches the server.
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { LogUnavailable } from '../../event-log.js';
import type { Connection, StreamsClient } from '../connection.js';
import { type ReadAnswer, readAnswer } from './read-answer.js';

/** Answers and bytes of events that wait for the consumer at most, before nothing more is taken. */
const answersMax = 512;
const bytesMax = 1024 * 1024;

function serialize(request: streams.ReadReq): Buffer {
  return Buffer.from(request.serializeBinary());
}

export class AnswerStream {
  private readonly call: ClientReadableStream<ReadAnswer>;
  private answers: ReadAnswer[] = [];
  private bytes = 0;
  private ended = false;
  private error: Error | undefined;
  private wake: (() => void) | undefined;
  private waking = false;

  constructor(
    connection: Connection,
    readonly client: StreamsClient,
    request: streams.ReadReq,
  ) {
    const { path } = streamsGrpc.StreamsService.read;
    const [metadata, options] = connection.arguments();
    this.call = client.makeServerStreamRequest(path, serialize, readAnswer, request, metadata, options);
    this.call.on('data', (answer: ReadAnswer) => this.take(answer));
    this.call.on('error', (error: Error) => this.finish(error));
    this.call.on('end', () => this.finish(undefined));
  }

  /**
   * What has come since the last time, in order; empty when `waitMs` passed without anything; undefined at the end.
   * @throws the call's failure, once everything before it was handed out
   */
  async next(waitMs: number): Promise<readonly ReadAnswer[] | undefined> {
    if (this.answers.length === 0 && !this.ended) await this.arrival(waitMs);
    if (this.answers.length > 0) {
      const answers = this.answers;
      this.answers = [];
      this.bytes = 0;
      this.call.resume();
      return answers;
    }
    if (this.error) throw this.error;
    return this.ended ? undefined : [];
  }

  /** Whether more is already here: the consumer has not caught up with the buffer. */
  get hasMore(): boolean {
    return this.answers.length > 0;
  }

  cancel(): void {
    this.finish(new LogUnavailable('the read was given up'));
    this.call.cancel();
  }

  private take(answer: ReadAnswer): void {
    if (this.ended) return;
    this.answers.push(answer);
    if (answer.kind === 'event') this.bytes += answer.event.data.byteLength + answer.event.metadata.byteLength;
    if (this.answers.length >= answersMax || this.bytes >= bytesMax) this.call.pause();
    if (this.wake && !this.waking) {
      // What else arrives in this turn belongs to the same page.
      this.waking = true;
      setImmediate(() => {
        this.waking = false;
        if (this.answers.length > 0) this.wake?.();
      });
    }
  }

  private finish(error: Error | undefined): void {
    if (this.ended) return;
    this.ended = true;
    this.error = error;
    this.wake?.();
  }

  private arrival(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      this.wake = done;
    });
  }
}
