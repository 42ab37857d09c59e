// BatchAppend: one stream of chunks carries the appends of a whole client, answered in any order, each exactly once. An
// append that is not complete, or whose turn to be written has not come, by its deadline is answered with Timeout and none
// of it is ever written.
import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import { EventLogError, type ExpectedRevision, LogUnavailable } from '../../event-log.js';
import { AppendTimedOut, invalidArgument, serviceError, toServiceError } from '../exceptions.js';
import { requireExpected, streamNameOf, type TargetOptions } from '../request-fields.js';
import type { ServedLog } from '../served-log.js';
import { type BatchAppendChunk, ProposedAppend } from './append-requests.js';
import type { AppendRoom } from './append-room.js';
import { type BatchIdentity, errorAnswer, successAnswer } from './batch-answers.js';

/** As the real server's write timeout: the longest that an append may stay incomplete or wait for its turn. */
export const writeTimeoutMs = 2_000;
/** Appends of one call that may be incomplete at a time. */
const incompleteMax = 1_024;
/** And their bytes. */
const incompleteBytesMax = 64 * 1024 * 1024;

interface Incomplete {
  readonly identity: BatchIdentity;
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly proposed: ProposedAppend;
  readonly dueAt: number;
  timer?: NodeJS.Timeout;
}

export interface BatchAppendOptions {
  readonly log: Pick<ServedLog, 'append'>;
  readonly appendBytesMax: number;
  /** Shared by all calls. */
  readonly room: AppendRoom;
}

export class BatchAppendCall {
  private readonly incomplete = new Map<string, Incomplete>();
  private inLog = 0;
  private incompleteBytes = 0;
  private readonly leaveRoom: () => void;
  private halfClosed = false;
  private over = false;
  private shuttingDown = false;

  constructor(
    private readonly call: ServerDuplexStream<BatchAppendChunk, Buffer>,
    private readonly options: BatchAppendOptions,
  ) {
    this.leaveRoom = options.room.follow(() => this.readOnWhenRoom());
    call.once('close', this.leaveRoom);
    call.on('data', (chunk: BatchAppendChunk) => this.receive(chunk));
    call.on('end', () => {
      this.halfClosed = true;
      // What was never completed never will be: no more chunks can come.
      for (const key of this.incomplete.keys()) this.refuse(key, new AppendTimedOut());
      this.endWhenAnswered();
    });
    call.on('cancelled', () => this.abandon());
    call.on('error', () => this.abandon());
    call.on('drain', () => this.readOnWhenRoom());
  }

  /** What is in the log's hands is still answered; then the client is told to come back. */
  shutDown(): void {
    this.shuttingDown = true;
    this.call.pause();
    this.endWhenAnswered();
  }

  private receive(chunk: BatchAppendChunk): void {
    if (this.over || this.shuttingDown) return;
    const key = chunk.correlationId.toString('latin1');
    const identity = {
      correlationId: chunk.correlationId,
      streamIdentifier: chunk.options?.streamIdentifier ?? noBytes,
      sentRevision: chunk.options?.sentRevision,
    };
    let append = this.incomplete.get(key);
    if (!append) {
      // A chunk without options belongs to an append that was already refused.
      if (!chunk.options) return;
      try {
        append = this.begin(identity, chunk.options);
      } catch (error) {
        this.answer(errorAnswer(identity, error));
        return;
      }
    }
    const heldBefore = this.incomplete.has(key) ? append.proposed.heldBytes : 0;
    this.incompleteBytes -= heldBefore;
    try {
      for (const message of chunk.proposed) append.proposed.add(message);
    } catch (error) {
      this.forget(key);
      const reason = error instanceof RangeError ? invalidArgument(error.message) : error;
      this.answer(errorAnswer(append.identity, reason));
      return;
    }
    if (chunk.isFinal) {
      this.forget(key);
      this.commit(append);
    } else {
      this.keep(key, append);
    }
    if (this.options.room.isFull) this.call.pause();
  }

  /** @throws ProtocolError for a request that cannot be, AppendTimedOut when its deadline is already past. */
  private begin(identity: BatchIdentity, options: TargetOptions): Incomplete {
    const now = Date.now();
    const wanted = options.deadlineIn ?? (options.deadlineAt === undefined ? writeTimeoutMs : options.deadlineAt - now);
    if (wanted <= 0) throw new AppendTimedOut();
    const stream = streamNameOf(options.nameBytes);
    return {
      identity,
      stream,
      expected: requireExpected(options.expected),
      proposed: new ProposedAppend(stream, this.options.appendBytesMax),
      dueAt: now + Math.min(wanted, writeTimeoutMs),
    };
  }

  private keep(key: string, append: Incomplete): void {
    this.incompleteBytes += append.proposed.heldBytes;
    if (!this.incomplete.has(key)) {
      this.incomplete.set(key, append);
      append.timer = setTimeout(() => this.refuse(key, new AppendTimedOut()), Math.max(append.dueAt - Date.now(), 0));
    }
    if (this.incomplete.size > incompleteMax || this.incompleteBytes > incompleteBytesMax) {
      this.refuse(key, new LogUnavailable('too many appends are incomplete on this call'));
    }
  }

  private forget(key: string): void {
    const append = this.incomplete.get(key);
    clearTimeout(append?.timer);
    this.incomplete.delete(key);
  }

  private refuse(key: string, error: Error): void {
    const append = this.incomplete.get(key);
    if (!append) return;
    this.forget(key);
    this.incompleteBytes -= append.proposed.heldBytes;
    this.answer(errorAnswer(append.identity, error));
  }

  private commit(append: Incomplete): void {
    this.inLog += 1;
    const { log, room } = this.options;
    const { stream, proposed, expected, dueAt } = append;
    room
      .write(proposed.heldBytes, dueAt, () =>
        log.append(stream, proposed.events, expected, { signal: deadline(dueAt) }),
      )
      .then(
        (result) => successAnswer(append.identity, result),
        (error: unknown) => errorAnswer(append.identity, isAborted(error) ? new AppendTimedOut() : error),
      )
      .then((answer) => {
        this.inLog -= 1;
        this.answer(answer);
        this.endWhenAnswered();
      })
      .catch((error: unknown) => this.call.emit('error', toServiceError(error, 'Append')));
  }

  /** A client that does not take its answers is not read from either. */
  private answer(answer: Buffer): void {
    if (this.over) return;
    if (!this.call.write(answer)) this.call.pause();
  }

  private readOnWhenRoom(): void {
    if (this.shuttingDown) return;
    if (!this.options.room.isFull && !this.call.writableNeedDrain) this.call.resume();
  }

  private endWhenAnswered(): void {
    if (!(this.halfClosed || this.shuttingDown) || this.inLog > 0 || this.over) return;
    this.abandon();
    if (this.halfClosed) this.call.end();
    else this.call.emit('error', serviceError(status.UNAVAILABLE, 'Server Is Not Ready: it is shutting down'));
  }

  private abandon(): void {
    this.over = true;
    this.leaveRoom();
    for (const key of this.incomplete.keys()) this.forget(key);
  }
}

const noBytes = Buffer.alloc(0);

/** Looked at when the append's turn comes to be written, so it needs no timer of its own. */
function deadline(dueAt: number): { readonly aborted: boolean } {
  return {
    get aborted() {
      return Date.now() > dueAt;
    },
  };
}

function isAborted(error: unknown): boolean {
  return error instanceof EventLogError && error.code === 'append-aborted';
}
