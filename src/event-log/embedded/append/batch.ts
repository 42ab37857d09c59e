// The appends that share one commit: each is judged against what the log holds plus what the batch already holds, and
// staged whole or not at all. Nothing here is visible to readers until the batch is on disk.
import { randomUUID } from 'node:crypto';
import {
  type AppendResult,
  type ExpectedRevision,
  LogFull,
  type NewEvent,
  StreamDeleted,
  WrongExpectedRevision,
} from '../../event-log.js';
import {
  describedStream,
  metadataEventType,
  metastreamOf,
  parseRetention,
  softDeletedText,
  tombstoneEventType,
  withTruncateBefore,
} from '../../stream-metadata.js';
import type { StreamIndex } from '../index/stream-index.js';
import type { StreamState, StreamStates } from '../reading/stream-states.js';
import { recordSize, tombstoneRevision, writeRecord } from '../storage/record.js';
import type { RecordReader } from '../storage/record-reader.js';
import { judgeAppend, type StreamView } from './append-rules.js';
import type { RecentEvent, RecentIds } from './recent-ids.js';

export interface CommittedLog {
  readonly index: StreamIndex;
  readonly states: StreamStates;
  readonly records: RecordReader;
  readonly recent: RecentIds;
}

interface Staged {
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly event: NewEvent;
}

const noBytes = new Uint8Array(0);

function systemEvent(type: string, json: string): NewEvent {
  return { id: randomUUID(), type, contentType: 'application/json', data: Buffer.from(json), metadata: noBytes };
}

export class Batch {
  private bytesBuffer: Buffer;
  private length = 0;
  private readonly staged: Staged[] = [];
  private readonly states = new Map<string, StreamState>();
  private readonly events = new Map<string, Map<number, Staged>>();
  /** What the append in hand has staged: thrown away when it is refused. */
  private unit: Staged[] = [];
  private unitStates = new Map<string, StreamState>();
  private unitBytes = 0;

  /** `buffer` is reused from batch to batch and grows when it must. */
  constructor(
    private readonly log: CommittedLog,
    private readonly base: number,
    private readonly recordedAt: number,
    private readonly logBytesMax: number,
    buffer: Buffer,
  ) {
    this.bytesBuffer = buffer;
  }

  get bytes(): Buffer {
    return this.bytesBuffer.subarray(0, this.length);
  }

  /** For the next batch, once this one is done with. */
  get buffer(): Buffer {
    return this.bytesBuffer;
  }

  get end(): number {
    return this.base + this.length;
  }

  /** Position of the batch's last event; undefined when it has none. */
  get lastPosition(): number | undefined {
    return this.staged.at(-1)?.position;
  }

  /** Runs one atomic unit: all that `write` stages, or nothing when it throws. */
  atomically<Result>(write: () => Result): Result {
    try {
      const result = write();
      this.seal();
      return result;
    } finally {
      this.unit = [];
      this.unitStates = new Map();
      this.unitBytes = 0;
    }
  }

  /** @throws WrongExpectedRevision, StreamDeleted */
  append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): AppendResult {
    const state = this.state(stream);
    const verdict = judgeAppend(
      this.view(stream, state),
      expected,
      events.map((event) => event.id),
    );
    switch (verdict.kind) {
      case 'deleted':
        throw new StreamDeleted(stream);
      case 'wrong-revision':
        throw new WrongExpectedRevision(stream, expected, state.last);
      case 'already':
        return { revision: verdict.last, position: BigInt(this.positionOf(stream, verdict.last) ?? 0) };
      case 'write':
        return this.write(stream, state, events, verdict.first);
    }
  }

  /** Writes `{"$tb": 2^63-1}`. @throws WrongExpectedRevision also for a stream that has neither events nor metadata. */
  softDelete(stream: string, expected: ExpectedRevision): number {
    const state = this.judgeDelete(stream, expected);
    if (state.last < 0 && !state.hasMetadata) throw new WrongExpectedRevision(stream, expected, -1);
    return this.writeMetadata(stream, softDeletedText);
  }

  /** Writes the `$streamDeleted` event, which ends the stream for ever. */
  tombstone(stream: string, expected: ExpectedRevision): number {
    const state = this.judgeDelete(stream, expected);
    const position = this.stage(stream, tombstoneRevision, systemEvent(tombstoneEventType, '{}'));
    this.setState(stream, { ...state, last: tombstoneRevision });
    const metastream = metastreamOf(stream);
    this.setState(metastream, { ...this.state(metastream), last: tombstoneRevision });
    return position;
  }

  /** After the batch is on disk: what it holds becomes visible. */
  publish(): void {
    for (const { stream, revision, position } of this.staged) this.log.index.add(stream, revision, position);
    for (const [stream, state] of this.states) this.log.states.put(stream, state);
  }

  /** The batch did not reach the disk: nothing of it may be taken for written. */
  discard(): void {
    for (const { stream, event } of this.staged) this.log.recent.delete(stream, event.id);
  }

  private judgeDelete(stream: string, expected: ExpectedRevision): StreamState {
    const state = this.state(stream);
    const verdict = judgeAppend(this.view(stream, state), expected, [randomUUID()]);
    if (verdict.kind === 'deleted') throw new StreamDeleted(stream);
    if (verdict.kind !== 'write') throw new WrongExpectedRevision(stream, expected, state.last);
    return state;
  }

  private write(stream: string, state: StreamState, events: readonly NewEvent[], first: number): AppendResult {
    let position = -1;
    for (const [i, event] of events.entries()) position = this.stage(stream, first + i, event);
    if (position < 0) return { revision: state.last, position: BigInt(this.positionOf(stream, state.last) ?? 0) };
    const last = first + events.length - 1;
    this.setState(stream, { ...state, last });
    const described = describedStream(stream);
    if (described !== undefined) this.describe(described, events.at(-1) as NewEvent);
    else if (state.retention.softDeleted) this.revive(stream, first);
    return { revision: last, position: BigInt(position) };
  }

  /** Metadata was written: it decides from now on; writing it to a soft-deleted stream brings that back, empty. */
  private describe(stream: string, event: NewEvent): void {
    const before = this.state(stream);
    const text = Buffer.from(event.data).toString('utf8');
    this.setState(stream, { ...before, retention: parseRetention(text), hasMetadata: true });
    if (before.retention.softDeleted) this.rewriteTruncateBefore(stream, text, before.last + 1);
  }

  /** The events from before the deletion stay hidden: `$tb` becomes the first new number, all other keys stay. */
  private revive(stream: string, first: number): void {
    const metastream = metastreamOf(stream);
    const staged = this.stagedEvent(metastream, this.state(metastream).last);
    const text = staged ? Buffer.from(staged.event.data).toString('utf8') : this.log.states.metadataText(stream);
    if (text !== undefined) this.rewriteTruncateBefore(stream, text, first);
  }

  private rewriteTruncateBefore(stream: string, text: string, revision: number): void {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      return;
    }
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) {
      this.writeMetadata(stream, withTruncateBefore(text, revision));
    }
  }

  private writeMetadata(stream: string, text: string): number {
    const metastream = metastreamOf(stream);
    const metastate = this.state(metastream);
    const position = this.stage(metastream, metastate.last + 1, systemEvent(metadataEventType, text));
    this.setState(metastream, { ...metastate, last: metastate.last + 1 });
    this.setState(stream, { ...this.state(stream), retention: parseRetention(text), hasMetadata: true });
    return position;
  }

  private stage(stream: string, revision: number, event: NewEvent): number {
    const position = this.base + this.length + this.unitBytes;
    this.unit.push({ stream, revision, position, event });
    this.unitBytes += recordSize(stream, event);
    return position;
  }

  private seal(): void {
    const end = this.base + this.length + this.unitBytes;
    if (end > this.logBytesMax) {
      throw new LogFull(`the log may hold ${this.logBytesMax} bytes and would hold ${end}; nothing was written`);
    }
    this.reserve(this.length + this.unitBytes);
    const last = this.unit.length - 1;
    for (const [i, staged] of this.unit.entries()) {
      const place = {
        stream: staged.stream,
        revision: staged.revision,
        recordedAt: this.recordedAt,
        endsUnit: i === last,
      };
      this.length += writeRecord(this.bytesBuffer, this.length, staged.position, staged.event, place);
      this.staged.push(staged);
      this.log.recent.add(staged.stream, staged.event.id, staged);
      let events = this.events.get(staged.stream);
      if (!events) {
        events = new Map();
        this.events.set(staged.stream, events);
      }
      events.set(staged.revision, staged);
    }
    for (const [stream, state] of this.unitStates) this.states.set(stream, state);
  }

  private reserve(bytes: number): void {
    if (bytes <= this.bytesBuffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(bytes, this.bytesBuffer.length * 2));
    this.bytesBuffer.copy(grown, 0, 0, this.length);
    this.bytesBuffer = grown;
  }

  private state(stream: string): StreamState {
    return this.unitStates.get(stream) ?? this.states.get(stream) ?? this.log.states.get(stream);
  }

  private setState(stream: string, state: StreamState): void {
    this.unitStates.set(stream, state);
  }

  private stagedEvent(stream: string, revision: number): Staged | undefined {
    const inUnit = this.unit.findLast((staged) => staged.stream === stream && staged.revision === revision);
    return inUnit ?? this.events.get(stream)?.get(revision);
  }

  private positionOf(stream: string, revision: number): number | undefined {
    return this.stagedEvent(stream, revision)?.position ?? this.log.index.position(stream, revision);
  }

  private view(stream: string, state: StreamState): StreamView {
    return {
      last: state.last,
      softDeleted: state.retention.softDeleted,
      hasMetadata: state.hasMetadata,
      idAt: (revision) => {
        const staged = this.stagedEvent(stream, revision);
        if (staged) return staged.event.id;
        const position = this.log.index.position(stream, revision);
        return position === undefined ? undefined : this.log.records.id(position);
      },
      recentRevision: (id) => this.recent(stream, id)?.revision,
    };
  }

  private recent(stream: string, id: string): RecentEvent | undefined {
    const inUnit = this.unit.find((staged) => staged.stream === stream && staged.event.id === id);
    return inUnit ?? this.log.recent.get(stream, id);
  }
}
