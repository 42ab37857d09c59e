// The read models that the projector runs, one line each.
import type { DocumentProjection } from '../src/kernel/projection.js';
import { cards } from './cards.document.js';
import { friendFeed } from './friend-feed.document.js';
import { friends } from './friends.document.js';
import { inbox } from './inbox.document.js';
import { shares } from './shares.document.js';
import { thread } from './thread.document.js';
import { timers } from './timers.document.js';

/** Into Redis. */
export const documentProjections: readonly DocumentProjection[] = [
  cards,
  friends,
  friendFeed,
  inbox,
  thread,
  shares,
  timers,
];
