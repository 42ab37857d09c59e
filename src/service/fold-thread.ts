// The log read, decoded and folded into the facts' chunks in a thread of its own: it is most of the work that the facts
// make, and requests and documents need not wait for it. What is planned, inserted and checked stays where it was.
import { Worker } from 'node:worker_threads';
import type { EmbeddedEventLog } from '../event-log/embedded/embedded-event-log.js';
import type { AcknowledgedEnd } from '../event-log/embedded/reading/log-follower.js';
import type { Cut, CutLog, CutOptions } from '../projector/clickhouse/chunk/chunk-stream.js';
import { ownModule } from '../stores/forked-module.js';

/** Chunks live for as long as it takes to make one: with less room they are copied before they die, mebibytes. */
const maxYoungGenerationSizeMb = 96;

/** What a thread begins with. */
export interface FoldOrders extends Omit<CutOptions, 'signal'> {
  readonly log: { readonly url: string } | { readonly directory: string; readonly known: AcknowledgedEnd };
}
export type ToThread =
  /** The next cut is wanted. */
  | { readonly kind: 'next' }
  /** The answer to `beyond`. */
  | { readonly kind: 'acknowledged'; readonly known: AcknowledgedEnd };
export type FromThread =
  | { readonly kind: 'cut'; readonly cut: Cut }
  /** All that was known to be acknowledged is read. */
  | { readonly kind: 'beyond'; readonly end: number }
  | { readonly kind: 'failed'; readonly name: string; readonly message: string };

/** @param log held by this process, or the address of its server */
export function cutInThread(log: EmbeddedEventLog | string): CutLog {
  return (options) => ({ [Symbol.asyncIterator]: () => new FoldThread(log, options) });
}

class FoldThread implements AsyncIterator<Cut> {
  /** Absent until a cut is wanted. */
  private worker: Worker | undefined;
  private readonly over = new AbortController();
  private waiting: { resolve(cut: IteratorResult<Cut>): void; reject(error: Error): void } | undefined;
  private failure: Error | undefined;

  constructor(
    private readonly log: EmbeddedEventLog | string,
    private readonly options: CutOptions,
  ) {
    const end = () => void this.return();
    options.signal.addEventListener('abort', end, { once: true, signal: this.over.signal });
    if (options.signal.aborted) end();
  }

  /** One at a time. */
  next(): Promise<IteratorResult<Cut>> {
    return new Promise((resolve, reject) => {
      if (this.over.signal.aborted) resolve(ended);
      else if (this.failure) reject(this.failure);
      else {
        this.waiting = { resolve, reject };
        this.tell({ kind: 'next' });
      }
    });
  }

  async return(): Promise<IteratorResult<Cut>> {
    this.over.abort();
    this.waiting?.resolve(ended);
    this.waiting = undefined;
    await this.worker?.terminate();
    return ended;
  }

  private begun(): Worker {
    const { signal: _, ...options } = this.options;
    const workerData: FoldOrders = { ...options, log: placeOf(this.log) };
    const { path, execArgv } = ownModule(import.meta.url, 'fold-thread.main');
    const worker = new Worker(path, { workerData, execArgv, resourceLimits: { maxYoungGenerationSizeMb } });
    worker.on('message', (message: FromThread) => this.hear(message));
    worker.on('error', (error) => this.fail(error));
    worker.on('exit', (code) => this.fail(new Error(`the thread that folds the facts ended (exit code ${code})`)));
    return worker;
  }

  private hear(message: FromThread): void {
    if (message.kind === 'cut') {
      this.waiting?.resolve({ done: false, value: received(message.cut) });
      this.waiting = undefined;
    } else if (message.kind === 'failed') {
      this.fail(Object.assign(new Error(message.message), { name: message.name }));
    } else if (typeof this.log !== 'string') {
      this.log.acknowledgedBeyond(message.end, this.over.signal).then(
        (known) => this.tell({ kind: 'acknowledged', known }),
        (error: Error) => this.fail(error),
      );
    }
  }

  private tell(message: ToThread): void {
    this.worker ??= this.begun();
    this.worker.postMessage(message);
  }

  private fail(error: Error): void {
    if (this.over.signal.aborted) return;
    this.failure ??= error;
    this.waiting?.reject(this.failure);
    this.waiting = undefined;
  }
}

const ended = { done: true, value: undefined } as const;

function placeOf(log: EmbeddedEventLog | string): FoldOrders['log'] {
  if (typeof log === 'string') return { url: log };
  return { directory: log.directory, known: log.acknowledged() };
}

/** Buffers come as plain arrays of bytes. */
function received(cut: Cut): Cut {
  if (!cut.chunk) return cut;
  const parts = cut.chunk.parts.map(({ pieces, ...part }) => ({
    ...part,
    pieces: pieces.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
  }));
  return { ...cut, chunk: { ...cut.chunk, parts } };
}
