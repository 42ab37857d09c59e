// The read models that the projector runs, one line each.
import type { AbandonmentDelays } from '../src/domain/intent/intent.events.js';
import type { DocumentProjection } from '../src/kernel/projection.js';
import { cards } from './cards.document.js';
import { friendFeed } from './friend-feed.document.js';
import { friends } from './friends.document.js';
import { inbox } from './inbox.document.js';
import { shares } from './shares.document.js';
import { thread } from './thread.document.js';
import { timers } from './timers.document.js';

/** What of the deployment's configuration read models are folded by. */
export interface ProjectionSettings {
  readonly abandonedAfterMs: AbandonmentDelays;
}

/** Into Redis. */
export function documentProjections({ abandonedAfterMs }: ProjectionSettings): readonly DocumentProjection[] {
  return [cards, friends, friendFeed, inbox, thread, shares, timers(abandonedAfterMs)];
}
