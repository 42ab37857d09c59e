// The import clock's memory: what the importer says is written into stream `clock-import` now and then, so that a
// restart goes on from there. A little less is safe (timers wait for the next word), more would not be.
import { randomUUID } from 'node:crypto';
import type { EventLog } from '../../event-log/event-log.js';
import { textOf } from '../../event-log/event-text.js';
import { occurredAheadMsMax } from '../../http/request/caller.js';
import { minuteMs, toIso } from '../../kernel/clock.js';
import { categoryOf, type EventMetadata } from '../../kernel/message.js';

export const clockStream = 'clock-import';
/** The clock is written when it has moved by so much since it was last written. */
const recordEveryMs = 10 * minuteMs;
/** Streams whose events carry the system's time. */
const bookkeeping = new Set(['subjectkey', 'sink', 'reactor', 'apikeys', 'clock', 'hominglog']);

/** Newest events looked at to find one that is not bookkeeping. */
const newestEventsMax = 1_000;

type Log = Pick<EventLog, 'append' | 'readStream' | 'readAll'>;

function json(bytes: Uint8Array): Record<string, string> {
  return JSON.parse(textOf(bytes)) as Record<string, string>;
}

/**
 * Where the clock of an earlier run stood at least; 0: nobody has said what time it is. What the importer said last, or
 * the time of the newest event less the time by which an event may be ahead of the clock.
 */
export async function recordedClock(log: Log): Promise<number> {
  let recordedMs = 0;
  for await (const page of log.readStream(clockStream, { direction: 'backwards', limit: 1 })) {
    for (const { data } of page) recordedMs = Date.parse(json(data)['now'] ?? '');
  }
  for await (const page of log.readAll({ direction: 'backwards', limit: newestEventsMax })) {
    const newest = page.find(({ stream }) => !bookkeeping.has(categoryOf(stream)));
    if (!newest) continue;
    const receivedMs = Date.parse(json(newest.metadata)['receivedAt'] ?? '');
    return Math.max(recordedMs, receivedMs - occurredAheadMsMax);
  }
  return recordedMs;
}

export class ClockRecord {
  private writing: Promise<void> = Promise.resolve();
  private pendingMs = 0;

  constructor(
    private readonly log: Log,
    private recordedMs: number,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Called at every move. */
  readonly moved = (nowMs: number): void => {
    this.pendingMs = nowMs;
    if (nowMs - this.recordedMs >= recordEveryMs) void this.flush();
  };

  /** Writes where the clock stands, if it is not written. */
  flush(): Promise<void> {
    const nowMs = this.pendingMs;
    if (nowMs <= this.recordedMs) return this.writing;
    this.recordedMs = nowMs;
    this.writing = this.writing.then(() => this.write(nowMs)).catch(this.failed);
    return this.writing;
  }

  private async write(nowMs: number): Promise<void> {
    const now = toIso(nowMs);
    const metadata: EventMetadata = {
      schemaVersion: 1,
      actor: { kind: 'system', id: 'importer' },
      occurredAt: now,
      receivedAt: now,
      correlationId: randomUUID(),
      source: 'import',
    };
    const bytes = (value: object) => Buffer.from(JSON.stringify(value), 'utf8');
    const event = {
      id: randomUUID(),
      type: 'ClockAdvanced',
      contentType: 'application/json',
      data: bytes({ now }),
      metadata: bytes(metadata),
    } as const;
    // Any revision: the clock only moves forward, and a later entry holds.
    await this.log.append(clockStream, [event], 'any');
  }
}
