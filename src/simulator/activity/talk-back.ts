// What the receiver of a shared clip does with it: looks, says something about it (here, elsewhere, or not at all),
// passes it on. Only talk that follows the card or names it can be known from the outside.
import { hourMs, minuteMs } from '../../kernel/clock.js';
import { contentRef } from '../world/catalogue.js';
import type { Person } from '../world/people.js';
import { sentence } from '../world/wording.js';
import { replyDelayMs } from './chatter.js';
import { sourceOf } from './sessions.js';
import type { Made, Sharing } from './shares.js';

const talksShare = 0.52;
const resharesShare = 0.09;

export function talkBack(
  sharing: Sharing,
  made: Made,
  card: { readonly recipient: Person; readonly card: string; readonly at: number; readonly named: boolean },
): void {
  const { messaging, draw, setting } = sharing;
  const { recipient } = card;
  const looksAt = card.at + replyDelayMs(draw) * 0.7;
  const looks = draw.chance(0.85) && looksAt < setting.rhythm.endMs;
  if (looks) look(sharing, made, card, looksAt);
  if (draw.chance(0.14)) {
    const aside = { body: sentence(draw) };
    messaging.say(card.at + draw.between(2_000, 40_000), made.sharer, recipient, aside);
  }
  const way = draw.weighted({ next: 46, quote: 40, late: 6, elsewhere: 8 });
  if (draw.chance(talksShare)) {
    if (way !== 'elsewhere') answerTo(sharing, made, card, way);
    setting.script.count('talkBacks');
  }
  if (!looks || !draw.chance(resharesShare)) return;
  const at = Math.floor(looksAt + draw.between(10_000, 30 * minuteMs));
  // What the service made of a bare card has no id the sender knows.
  const parent = card.named ? { shareId: made.shareId, depth: made.depth } : undefined;
  sharing.impulses.push({
    sharer: recipient,
    clip: made.clip,
    at,
    surface: 'conversation',
    ...(parent ? { parent } : {}),
  });
}

function answerTo(
  { messaging, draw, setting }: Sharing,
  made: Made,
  { recipient, card, at }: { recipient: Person; card: string; at: number },
  way: 'next' | 'quote' | 'late',
): void {
  const delay = way === 'late' ? draw.between(25 * hourMs, 60 * hourMs) : replyDelayMs(draw);
  const repliesTo = way === 'quote' || way === 'late' ? card : undefined;
  let when = at + delay;
  const turns = Math.min(12, draw.geometric(2.1));
  for (let turn = 0; turn < turns; turn += 1) {
    const [from, to] = turn % 2 === 0 ? [recipient, made.sharer] : [made.sharer, recipient];
    const words = { body: sentence(draw), ...(turn === 0 && repliesTo ? { repliesTo } : {}) };
    if (!messaging.say(when, from, to, words)) return;
    setting.script.count('talkBackMessages');
    when += replyDelayMs(draw);
  }
}

function look(
  { setting, draw }: Sharing,
  made: Made,
  { recipient, named }: { recipient: Person; named: boolean },
  at: number,
): void {
  const viewId = draw.uuidAt(at);
  const dwellMs = Math.round(Math.min(180_000, Math.max(1_000, draw.logNormal(11_000, 0.8))));
  const data = {
    viewId,
    memberId: recipient.id,
    contentRef: contentRef(made.clip),
    surface: 'conversation',
    dwellMs,
    ...(named ? { viaShareId: made.shareId } : {}),
  };
  setting.script.observe({ at: Math.floor(at), source: sourceOf(recipient), id: viewId, type: 'ContentViewed', data });
  setting.script.count('views');
}
