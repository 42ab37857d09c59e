// What a timer that has run out means. The decider emits what is due by itself; only a person who merely looked has to be
// told of, because views are in other streams. Each acts as of the instant it was due, so that a late hand writes the
// same bytes as one in time.
import { friendshipDecider } from '../domain/friendship/friendship.decider.js';
import { type IntentDecider, intentCategory } from '../domain/intent/intent.decider.js';
import { shareDecider } from '../domain/share/share.decider.js';
import type { CommandContext, EventStore } from '../event-log/transact.js';
import { toIso } from '../kernel/clock.js';
import { deriveId } from '../kernel/ids.js';
import { streamName } from '../kernel/message.js';
import { encodeTimer, type Timer } from '../kernel/timer.js';

export interface DueTimer {
  readonly timer: Timer;
  readonly dueMs: number;
}

/** The stream that the timer's fact goes to: timers of one stream act one after the other. */
export function streamOf(timer: Timer): string {
  switch (timer[0]) {
    case 'friendship':
      return streamName(friendshipDecider.category, timer[1]);
    case 'share':
      return streamName(shareDecider.category, timer[1]);
    case 'intent':
      return streamName(intentCategory, `${timer[1]}_${timer[2]}`);
    case 'browse':
      return streamName(intentCategory, `${timer[1]}_${timer[2].productId}`);
  }
}

function contextOf({ timer, dueMs }: DueTimer): CommandContext {
  const commandId = deriveId('timer', encodeTimer(timer), String(dueMs));
  const at = toIso(dueMs);
  const actor = { kind: 'system', id: 'timer' } as const;
  return { actor, occurredAt: at, receivedAt: at, correlationId: commandId, commandId, source: 'server' };
}

/**
 * Twice is once: the command's id derives from the timer. Gives back the revision of the stream afterwards.
 * @param intentDecider by the same delays as the timer was set
 */
export async function actOn(
  due: DueTimer,
  { store, intentDecider }: { readonly store: EventStore; readonly intentDecider: IntentDecider },
): Promise<{ readonly revision: number; readonly position: bigint }> {
  const { timer } = due;
  const context = contextOf(due);
  switch (timer[0]) {
    case 'friendship':
      return store.transact({ decider: friendshipDecider, id: timer[1], commands: [], context });
    case 'share':
      return store.transact({ decider: shareDecider, id: timer[1], commands: [], context });
    case 'intent':
      return store.transact({ decider: intentDecider, id: `${timer[1]}_${timer[2]}`, commands: [], context });
    case 'browse': {
      const [, memberId, productRef, lastViewedAt] = timer;
      const data = { memberId, productRef, lastViewedAt };
      const commands = [{ type: 'AbandonBrowse', data, now: context.occurredAt } as const];
      return store.transact({ decider: intentDecider, id: `${memberId}_${productRef.productId}`, commands, context });
    }
  }
}
