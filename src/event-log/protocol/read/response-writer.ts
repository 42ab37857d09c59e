// Writes answers as fast as the client takes them and no faster: HTTP/2's flow control reaches the log through here.
import { randomUUID } from 'node:crypto';
import { type ServerWritableStream, status } from '@grpc/grpc-js';
import { ProtocolError, toServiceError } from '../exceptions.js';

export class ResponseWriter {
  private readonly aborter = new AbortController();
  readonly subscriptionId = randomUUID();

  constructor(private readonly call: ServerWritableStream<unknown, Buffer>) {
    const stop = () => this.aborter.abort();
    call.once('cancelled', stop);
    call.once('close', stop);
    call.once('error', stop);
  }

  /** Aborted when nobody listens any more. */
  get signal(): AbortSignal {
    return this.aborter.signal;
  }

  /** Undefined when the next answer may be written at once; otherwise wait. Check `signal` afterwards. */
  write(answer: Buffer): Promise<void> | undefined {
    if (this.signal.aborted || this.call.write(answer)) return undefined;
    return this.drained();
  }

  end(): void {
    if (!this.signal.aborted) this.call.end();
  }

  fail(error: unknown): void {
    if (!this.signal.aborted) this.call.emit('error', toServiceError(error, 'Read'));
  }

  shutDown(): void {
    this.fail(new ProtocolError(status.UNAVAILABLE, 'Server Is Not Ready: it is shutting down'));
  }

  private drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.call.off('drain', done);
        this.signal.removeEventListener('abort', done);
        resolve();
      };
      this.call.on('drain', done);
      this.signal.addEventListener('abort', done, { once: true });
      if (this.signal.aborted) done();
    });
  }
}
