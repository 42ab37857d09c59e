// The appends that share one commit: each is judged against what the log holds plus what the batch already holds, and
// staged whole or not at all. Nothing here is visible to readers until the batch is on disk.
import { randomUUID } from 'node:crypto';
import {
  type AppendResult,
  type ExpectedRevision,
  type LogEvent,
  LogFull,
  type NewEvent,
  StreamDeleted,
  WrongExpectedRevision,
} from '../../event-log.js';
import { textOf } from '../../event-text.js';
import {
  describedStream,
  metadataEventType,
  metastreamOf,
  parseRetention,
  retentionOf,
  softDeletedText,
  tombstoneEventType,
  withTruncateBefore,
} from '../../stream-metadata.js';
import type { StreamIndex } from '../index/stream-index.js';
import type { StreamStates } from '../reading/stream-states.js';
import { recordSizeMax, tombstoneRevision, writeUuid } from '../storage/record.js';
import type { RecordReader } from '../storage/record-reader.js';
import { judgeAppend, type StreamView, type Verdict } from './append-rules.js';
import { type RecentIds, recentTag } from './recent-ids.js';
import { StagedRecords } from './staged-records.js';
import { StagedStream } from './staged-stream.js';

export interface CommittedLog {
  readonly index: StreamIndex;
  readonly states: StreamStates;
  readonly records: RecordReader;
  readonly recent: RecentIds;
}

export interface BatchPlace {
  /** Where in the log the batch begins. */
  readonly base: number;
  readonly recordedAt: number;
  readonly logBytesMax: number;
}

const noBytes = new Uint8Array(0);
const idScratch = Buffer.alloc(16);

function systemEvent(type: string, json: string): NewEvent {
  return { id: randomUUID(), type, contentType: 'application/json', data: Buffer.from(json), metadata: noBytes };
}

/** Nothing but its type, as EventStoreDB writes it. */
function tombstoneEvent(): NewEvent {
  const contentType = 'application/octet-stream';
  return { id: randomUUID(), type: tombstoneEventType, contentType, data: noBytes, metadata: noBytes };
}

export class Batch {
  readonly records: StagedRecords;
  private readonly streams = new Map<string, StagedStream>();
  /** Streams that the append in hand has changed. */
  private changed: StagedStream[] = [];
  private last: number | undefined;

  /** `buffer` is reused from batch to batch. */
  constructor(
    private readonly log: CommittedLog,
    private readonly place: BatchPlace,
    buffer: Buffer,
  ) {
    this.records = new StagedRecords(place.base, place.recordedAt, buffer);
  }

  /** Position of the batch's last event; undefined when it has none. */
  get lastPosition(): number | undefined {
    return this.last;
  }

  /** Runs one atomic unit: all that `write` stages, or nothing when it throws. */
  atomically<Result>(write: (batch: Batch) => Result): Result {
    const lastBefore = this.last;
    try {
      const result = write(this);
      if (this.records.end > this.place.logBytesMax) {
        throw new LogFull(`the log may hold ${this.place.logBytesMax} bytes; the append was not written`);
      }
      this.records.sealUnit();
      for (const stream of this.changed) stream.keep();
      return result;
    } catch (error) {
      this.records.dropUnit();
      this.last = lastBefore;
      for (const stream of this.changed) stream.restore();
      throw error;
    } finally {
      this.changed = [];
    }
  }

  /** @throws WrongExpectedRevision, StreamDeleted */
  append(name: string, events: readonly NewEvent[], expected: ExpectedRevision): AppendResult {
    const stream = this.stream(name);
    const verdict = this.judge(stream, expected, events);
    switch (verdict.kind) {
      case 'deleted':
        throw new StreamDeleted(name);
      case 'wrong-revision':
        throw new WrongExpectedRevision(name, expected, stream.last);
      case 'already':
        return { revision: verdict.last, position: BigInt(this.position(stream, verdict.last) ?? 0) };
      case 'write':
        return this.write(stream, events);
    }
  }

  /** Writes `{"$tb": 2^63-1}`. @throws WrongExpectedRevision also for a stream that has neither events nor metadata */
  softDelete(name: string, expected: ExpectedRevision): number {
    const stream = this.judgeDelete(name, expected);
    if (stream.last < 0 && !stream.hasMetadata) throw new WrongExpectedRevision(name, expected, -1);
    return this.writeMetadata(stream, softDeletedText);
  }

  /** Writes the `$streamDeleted` event, which ends the stream for ever. */
  tombstone(name: string, expected: ExpectedRevision): number {
    const stream = this.judgeDelete(name, expected);
    this.change(stream);
    stream.tombstonePosition = this.stage(stream, tombstoneRevision, tombstoneEvent());
    stream.last = tombstoneRevision;
    const metastream = this.stream(metastreamOf(name));
    this.change(metastream);
    metastream.last = tombstoneRevision;
    return stream.tombstonePosition;
  }

  /** After the batch is on disk: what it holds becomes visible. */
  publish(): void {
    const { index, states } = this.log;
    for (const stream of this.streams.values()) {
      const { name, positions, firstStaged, tombstonePosition } = stream;
      index.addAll(name, firstStaged, positions);
      if (tombstonePosition !== undefined) index.add(name, tombstoneRevision, tombstonePosition);
      states.put(name, stream.state);
    }
  }

  private judgeDelete(name: string, expected: ExpectedRevision): StagedStream {
    const stream = this.stream(name);
    const verdict = this.judge(stream, expected, [{ id: randomUUID() }]);
    if (verdict.kind === 'deleted') throw new StreamDeleted(name);
    if (verdict.kind !== 'write') throw new WrongExpectedRevision(name, expected, stream.last);
    return stream;
  }

  private write(stream: StagedStream, events: readonly NewEvent[]): AppendResult {
    if (events.length === 0) {
      if (stream.retention.softDeleted) this.revive(stream, stream.last + 1);
      return { revision: stream.last, position: BigInt(this.position(stream, stream.last) ?? 0) };
    }
    const first = stream.last + 1;
    let position = 0;
    for (const event of events) position = this.stageNext(stream, event);
    const { last } = stream;
    const described = describedStream(stream.name);
    if (described !== undefined) this.describe(this.stream(described), events.at(-1) as NewEvent);
    else if (stream.retention.softDeleted) this.revive(stream, first);
    return { revision: last, position: BigInt(position) };
  }

  /** Metadata was written: it decides from now on; writing it to a soft-deleted stream brings that back, empty. */
  private describe(stream: StagedStream, event: NewEvent): void {
    const wasDeleted = stream.retention.softDeleted;
    this.change(stream);
    stream.retention = retentionOf(event);
    stream.hasMetadata = true;
    if (wasDeleted) this.rewriteTruncateBefore(stream, textOf(event.data), stream.last + 1);
  }

  /** The events from before the deletion stay hidden: `$tb` becomes the first new number, all other keys stay. */
  private revive(stream: StagedStream, first: number): void {
    const metastream = this.stream(metastreamOf(stream.name));
    const position = this.position(metastream, metastream.last);
    if (position === undefined) return;
    const event = this.records.has(position) ? this.records.event(position) : this.log.records.event(position);
    this.rewriteTruncateBefore(stream, textOf(event.data), first);
  }

  private rewriteTruncateBefore(stream: StagedStream, text: string, revision: number): void {
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

  private writeMetadata(stream: StagedStream, text: string): number {
    const position = this.stageNext(this.stream(metastreamOf(stream.name)), systemEvent(metadataEventType, text));
    this.change(stream);
    stream.retention = parseRetention(text);
    stream.hasMetadata = true;
    return position;
  }

  private stageNext(stream: StagedStream, event: NewEvent): number {
    this.change(stream);
    stream.last += 1;
    const position = this.stage(stream, stream.last, event);
    stream.positions.push(position);
    return position;
  }

  private stage(stream: StagedStream, revision: number, event: NewEvent): number {
    const position = this.records.add(stream.name, revision, event, recordSizeMax(stream.name, event));
    // Should the batch fail, this leads to no such event, which whoever asks finds out.
    this.records.remember(this.log.recent, stream.hash, position);
    this.last = position;
    return position;
  }

  private stream(name: string): StagedStream {
    let stream = this.streams.get(name);
    if (!stream) {
      stream = StagedStream.of(name, this.log.states.get(name));
      this.streams.set(name, stream);
    }
    return stream;
  }

  private change(stream: StagedStream): void {
    if (stream.save()) this.changed.push(stream);
  }

  private position(stream: StagedStream, revision: number): number | undefined {
    return stream.stagedPosition(revision) ?? this.log.index.position(stream.name, revision);
  }

  private judge(stream: StagedStream, expected: ExpectedRevision, events: readonly { readonly id: string }[]): Verdict {
    // The ordinary case, without building the view for the others.
    if (stream.last === expected && expected !== tombstoneRevision) return { kind: 'write' };
    return judgeAppend(this.view(stream), expected, events);
  }

  private view(stream: StagedStream): StreamView {
    const { index, records } = this.log;
    return {
      last: stream.last,
      softDeleted: stream.retention.softDeleted,
      hasMetadata: stream.hasMetadata,
      idAt: (revision) => {
        const staged = stream.stagedPosition(revision);
        if (staged !== undefined) return this.records.id(staged);
        const position = index.position(stream.name, revision);
        return position === undefined ? undefined : records.id(position);
      },
      recentRevision: (id) => this.recentRevision(stream, id),
    };
  }

  private recentRevision(stream: StagedStream, id: string): number | undefined {
    writeUuid(id, idScratch, 0);
    const eventAt = (position: number): LogEvent | undefined =>
      this.records.has(position) ? this.records.event(position) : this.log.records.peek(position);
    const position = this.log.recent.find(recentTag(stream.hash, idScratch, 0), (candidate) => {
      const event = eventAt(candidate);
      return event?.id === id && event.stream === stream.name;
    });
    return position === undefined ? undefined : eventAt(position)?.revision;
  }
}
