// How far read models are behind the log. Positions are no counts, so the events are counted by reading them, from the
// head backwards and only so many.
import type { EventLogReader, LogEvent } from '../../event-log/event-log.js';
import type { Checkpoint } from '../../kernel/document-keys.js';

/** Beyond this the answer is "more than". */
export const lagEventsMax = 10_000;

export interface Lag {
  /** At most `lagEventsMax`. */
  readonly events: number;
  /** There are more than `events`. */
  readonly capped: boolean;
  /** Since the log took the first event that is missing; 0 when none is. */
  readonly seconds: number;
}

/** One lag per checkpoint, in order. */
export async function lagOf(
  log: Pick<EventLogReader, 'readAll'>,
  checkpoints: readonly Pick<Checkpoint, 'position' | 'recordedAt'>[],
  nowMs: number,
): Promise<Lag[]> {
  if (checkpoints.length === 0) return [];
  const least = checkpoints.reduce((a, b) => (b.position < a.position ? b : a)).position;
  const newest: LogEvent[] = [];
  // One more than is told, to know whether there are more.
  for await (const page of log.readAll({ direction: 'backwards', limit: lagEventsMax + 1 })) {
    newest.push(...page);
    if ((page.at(-1)?.position ?? 0n) <= least) break;
  }
  return checkpoints.map((checkpoint) => lagFrom(newest, checkpoint, nowMs));
}

function lagFrom(
  newest: readonly LogEvent[],
  { position, recordedAt }: Pick<Checkpoint, 'position' | 'recordedAt'>,
  nowMs: number,
): Lag {
  const firstKnown = newest.findIndex((event) => event.position <= position);
  const missing = firstKnown < 0 ? newest : newest.slice(0, firstKnown);
  const capped = missing.length > lagEventsMax;
  const first = capped ? recordedAt : missing.at(-1)?.recordedAt;
  const seconds = first === undefined ? 0 : Math.max(0, (nowMs - first) / 1_000);
  return { events: Math.min(missing.length, lagEventsMax), capped, seconds };
}
