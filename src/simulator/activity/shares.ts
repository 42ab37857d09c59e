// One act of sharing after another, from the opened sheet to where it went; what comes of it (talk, opens, reshares) is
// made on the spot, and reshares are shares again, so chains grow as long as people pass things on.
import { hourMs, minuteMs } from '../../kernel/clock.js';
import { pairId } from '../../kernel/ids.js';
import type { Random } from '../random.js';
import { type JsonObject, opensLane } from '../script.js';
import { type Clip, contentRef } from '../world/catalogue.js';
import type { Person } from '../world/people.js';
import { deviceHeaders, type Setting } from '../world/setting.js';
import { sentence } from '../world/wording.js';
import {
  carriesLink,
  inAppDestinations,
  type OffPlatformDestination,
  offPlatformDestinations,
  trueChannel,
} from './channels.js';
import { closeOne } from './chatter.js';
import type { Messaging } from './messaging.js';
import { makeOpens } from './opens.js';
import type { View } from './sessions.js';
import { talkBack } from './talk-back.js';

/** A wish to share, with where it came from. */
export interface Impulse {
  readonly sharer: Person;
  readonly clip: Clip;
  readonly at: number;
  readonly surface: 'feed' | 'conversation' | 'share_landing';
  readonly view?: View;
  readonly parent?: { readonly shareId: string; readonly depth: number };
}
export interface Sharing {
  readonly setting: Setting;
  readonly messaging: Messaging;
  readonly draw: Random;
  /** What is still to be shared: reshares are put here. */
  readonly impulses: Impulse[];
  /** Links that a newcomer may have come by. */
  readonly links: {
    readonly shareId: string;
    readonly sharer: Person;
    readonly at: number;
    readonly channel: string;
  }[];
}
export interface Made extends Impulse {
  readonly shareId: string;
  readonly depth: number;
}

const inAppShare = 0.57;
const depthMax = 6;
/** One app in four is too old to say what a share hands on. */
const namesParent = ({ index }: Person): boolean => index % 4 !== 0;

export function makeShares(setting: Setting, messaging: Messaging, views: readonly View[]): Sharing {
  const draw = setting.random.stream('shares');
  const sharing: Sharing = { setting, messaging, draw, impulses: [], links: [] };
  for (const view of views) {
    if (!draw.chance(setting.profile.shareChance)) continue;
    const at = Math.floor(view.at + draw.between(900, 9_000));
    sharing.impulses.push({ sharer: view.person, clip: view.clip, at, surface: 'feed', view });
  }
  for (let next = sharing.impulses.shift(); next; next = sharing.impulses.shift()) share(sharing, next);
  return sharing;
}

function share(sharing: Sharing, impulse: Impulse): void {
  const { setting, draw } = sharing;
  const depth = impulse.parent ? impulse.parent.depth + 1 : 0;
  if (impulse.at >= setting.rhythm.closeMs || depth > depthMax || impulse.at < impulse.sharer.registersAt + minuteMs)
    return;
  const made: Made = { ...impulse, shareId: draw.uuidAt(impulse.at), depth };
  if (depth === 0 && draw.chance(0.1)) {
    shareByMessage(sharing, made);
    return;
  }
  initiate(sharing, made);
  const fate = draw.weighted({ completed: 90, cancelled: 4, abandoned: 6 });
  setting.script.count(`shares.${fate}`);
  if (fate === 'abandoned') return;
  if (fate === 'cancelled') {
    const body = { stage: draw.pick(['sheet', 'target']) };
    const path = `/v1/shares/${made.shareId}/cancel`;
    request(sharing, made, impulse.at + draw.between(1_500, 12_000), { path, body });
    return;
  }
  if (!draw.chance(inAppShare) || !shareInApp(sharing, made)) shareOffPlatform(sharing, made);
}

function request(
  { setting }: Sharing,
  { sharer, shareId }: Made,
  at: number,
  by: {
    path: string;
    body: JsonObject;
    reads?: readonly string[];
    writes?: readonly string[];
    keep?: Record<string, string>;
    sends?: readonly { conversation: string; key: string }[];
  },
): void {
  const { path, body, reads = [], writes = [], ...more } = by;
  setting.script.command({
    at: Math.floor(at),
    caller: 'app',
    member: sharer.id,
    method: 'POST',
    path,
    body,
    headers: { ...deviceHeaders(sharer), 'User-Agent': sharer.userAgent, 'X-Forwarded-For': sharer.ip },
    writes: [`share:${shareId}`, ...writes],
    reads: [`member:${sharer.id}`, ...reads],
    ...more,
  });
}

function initiate(sharing: Sharing, made: Made): void {
  const { shareId, clip, surface, view, parent } = made;
  request(sharing, made, made.at, {
    path: '/v1/shares',
    body: {
      shareId,
      contentRef: contentRef(clip),
      surface,
      ...(view
        ? {
            sessionId: view.session.id,
            viewId: view.viewId,
            feedRequestId: view.feedRequestId,
            position: view.position,
          }
        : {}),
      ...(parent && namesParent(made.sharer) ? { parentShareId: parent.shareId } : {}),
    },
    reads: [opensLane(made.sharer), ...(parent ? [`share:${parent.shareId}`] : [])],
  });
}

/** A clip put straight into a message: the service makes the share. */
function shareByMessage(sharing: Sharing, made: Made): void {
  const { messaging, draw, setting } = sharing;
  const other = closeOne(messaging.partners(made.sharer, made.at), draw);
  if (!other) return;
  const attachments = [{ kind: 'share_card', contentRef: contentRef(made.clip) }];
  const reads = [opensLane(made.sharer)];
  const words = { attachments, reads, ...(draw.chance(0.3) ? { body: sentence(draw) } : {}) };
  const key = messaging.say(made.at, made.sharer, other, words);
  if (!key) return;
  setting.script.count('shares.completed');
  setting.script.count('shares.inApp');
  talkBack(sharing, made, { recipient: other, card: key, at: made.at, named: false });
}

function shareInApp(sharing: Sharing, made: Made): boolean {
  const { draw, setting } = sharing;
  const destination = draw.weighted(inAppDestinations);
  const at = Math.floor(made.at + Math.min(20 * minuteMs, Math.max(1_200, draw.logNormal(9_000, 0.8))));
  const base = { destinationClass: 'in_app', destination, channelEvidence: 'declared', timeToShareMs: at - made.at };
  const path = `/v1/shares/${made.shareId}/complete`;
  if (destination === 'dm') {
    if (!shareByDm(sharing, made, at, base)) return false;
  } else if (destination === 'brand_conversation') {
    if (made.sharer.ageBand === '13_15') return false;
    shareWithBrand(sharing, made, at, base);
  } else {
    request(sharing, made, at, {
      path,
      body: destination === 'feed_repost' && draw.chance(0.4) ? { ...base, caption: sentence(draw) } : base,
    });
  }
  setting.script.count('shares.inApp');
  return true;
}

function shareByDm(sharing: Sharing, made: Made, at: number, base: JsonObject): boolean {
  const { messaging, draw } = sharing;
  const partners = messaging.partners(made.sharer, at);
  const wanted = 1 + draw.weightedIndex([82, 14, 4]);
  const chosen = new Set<Person>();
  for (let attempt = 0; attempt < 8 && chosen.size < Math.min(wanted, partners.length); attempt += 1) {
    chosen.add(closeOne(partners, draw) as Person);
  }
  if (chosen.size === 0) return false;
  const recipients = [...chosen];
  const conversationIds = recipients.map((other) => messaging.direct(made.sharer, other, 'share'));
  const keys = conversationIds.map((_, index) => `card:${made.shareId}:${index}`);
  request(sharing, made, at, {
    path: `/v1/shares/${made.shareId}/complete`,
    body: { ...base, conversationIds, ...(draw.chance(0.25) ? { body: sentence(draw) } : {}) },
    writes: conversationIds.map((id) => `conversation:${id}`),
    reads: recipients.flatMap((other) => [`member:${other.id}`, `pair:${pairId(made.sharer.id, other.id)}`]),
    sends: conversationIds.map((conversation, index) => ({ conversation, key: keys[index] as string })),
    keep: Object.fromEntries(keys.map((key, index) => [key, `messageIds/${index}`])),
  });
  for (const [index, recipient] of recipients.entries()) {
    talkBack(sharing, made, { recipient, card: keys[index] as string, at, named: true });
  }
  return true;
}

function shareWithBrand(sharing: Sharing, made: Made, at: number, base: JsonObject): void {
  const { messaging, draw, setting } = sharing;
  const brand = draw.pick(setting.catalogue.brands.filter(({ role }) => role === 'plain'));
  const conversation = messaging.withBrand(made.sharer, brand, 'share');
  const card = `card:${made.shareId}:0`;
  request(sharing, made, at, {
    path: `/v1/shares/${made.shareId}/complete`,
    body: { ...base, conversationIds: [conversation], body: sentence(draw) },
    writes: [`conversation:${conversation}`],
    reads: [`brand:${brand.brandId}`],
    sends: [{ conversation, key: card }],
  });
  const answersAt = at + draw.logNormal(brand.responseMedianMin * minuteMs, 1);
  if (draw.chance(0.6) && answersAt < at + 20 * hourMs) {
    messaging.answerAsBrand(answersAt, brand, made.sharer, { body: sentence(draw), bot: false });
  }
}

function shareOffPlatform(sharing: Sharing, made: Made): void {
  const { draw, setting } = sharing;
  const { shareId } = made;
  const destination: OffPlatformDestination = draw.weighted(offPlatformDestinations);
  const evidence = destination === 'system_share_sheet' ? 'unknown' : draw.weighted({ declared: 80, os_callback: 20 });
  const late = draw.chance(0.02);
  const at =
    made.at +
    (late
      ? draw.between(40 * minuteMs, 3 * hourMs)
      : Math.min(20 * minuteMs, Math.max(2_500, draw.logNormal(11_000, 0.8))));
  const channel = trueChannel(destination, draw);
  const linked = carriesLink(destination);
  if (linked) {
    request(sharing, made, made.at + 1_200, {
      path: `/v1/shares/${shareId}/link`,
      body: { destinationHint: destination },
      writes: [`link:${shareId}`],
      keep: { [`code:${shareId}`]: 'code', [`link:${shareId}`]: 'linkId' },
    });
  }
  request(sharing, made, at, {
    path: `/v1/shares/${shareId}/complete`,
    body: {
      destinationClass: 'off_platform',
      destination,
      channelEvidence: evidence,
      ...(linked ? { linkId: `{{link:${shareId}}}` } : {}),
      completionKnown: destination !== 'system_share_sheet',
      timeToShareMs: Math.floor(at - made.at),
    },
  });
  setting.script.count('shares.offPlatform');
  setting.script.count(`channel.${channel}`);
  if (!linked) return;
  sharing.links.push({ shareId, sharer: made.sharer, at: made.at, channel });
  makeOpens(sharing, made, { at: Math.floor(Math.max(made.at + 2_000, late ? made.at + 9_000 : at)), channel });
}
