// What comes through a link: crawlers that fetch a preview, prefetches, the sharer trying it, people (members, known or
// not, and strangers), some of them twice; and those who then pass it on.
import { dayMs, hourMs, minuteMs } from '../../kernel/clock.js';
import { opensLane } from '../script.js';
import type { Person } from '../world/people.js';
import { channelOf, disguisedAgent, strangersAgents } from './channels.js';
import type { Made, Sharing } from './shares.js';

interface Visitor {
  readonly ip: string;
  readonly userAgent: string;
  /** Logged in to the app when opening. */
  readonly member?: Person;
}

const opensShare = 0.45;
const memberShare = 0.34;
const resharesShare = 0.07;

export function makeOpens(sharing: Sharing, made: Made, sent: { readonly at: number; readonly channel: string }): void {
  const { draw } = sharing;
  const channel = channelOf(sent.channel);
  if (channel.previewBot && draw.chance(0.92)) {
    const bot = { ip: `203.0.113.${1 + draw.below(250)}`, userAgent: channel.previewBot };
    open(sharing, made, sent.at + draw.between(400, 3_500), bot);
    sharing.setting.script.count('opens.bots');
  }
  if (draw.chance(0.11)) trySelf(sharing, made, sent.at);
  if (channel.public && draw.chance(0.25)) {
    open(sharing, made, sent.at + draw.between(5_000, hourMs), {
      ip: `192.0.2.${1 + draw.below(250)}`,
      userAgent: disguisedAgent,
    });
    sharing.setting.script.count('opens.disguisedBots');
  }
  const readers = channel.public ? draw.negativeBinomial(3) : 1 + (draw.chance(0.3) ? 1 : 0);
  for (let index = 0; index < readers; index += 1) {
    if (channel.public || draw.chance(opensShare)) visit(sharing, made, { ...sent, index });
  }
}

/** The sharer tries the own link: in the app, or in the browser of the same device, mostly at once. */
function trySelf(sharing: Sharing, made: Made, at: number): void {
  const { draw } = sharing;
  const { ip, userAgent } = made.sharer;
  const inApp = draw.chance(0.5);
  const delay = draw.chance(0.85) ? draw.between(3_000, 4 * minuteMs) : draw.between(2 * hourMs, 30 * hourMs);
  open(sharing, made, at + delay, inApp ? { ip, userAgent, member: made.sharer } : { ip, userAgent });
  sharing.setting.script.count('opens.self');
}

function visit(
  sharing: Sharing,
  made: Made,
  sent: { readonly at: number; readonly channel: string; readonly index: number },
): void {
  const { draw, setting } = sharing;
  const at = sent.at + 20_000 + Math.min(14 * dayMs, draw.logNormal(50 * minuteMs, 1.9));
  const member = draw.chance(memberShare) ? someMember(sharing, made, at) : undefined;
  const visitor: Visitor = member
    ? { ip: member.ip, userAgent: member.userAgent, ...(draw.chance(0.6) ? { member } : {}) }
    : { ip: `10.${128 + draw.below(120)}.${draw.below(250)}.${1 + sent.index}`, userAgent: draw.pick(strangersAgents) };
  const channel = channelOf(sent.channel);
  const lost = draw.chance(channel.referrerLostShare);
  const referrer = channel.referrer && !lost && !visitor.member ? channel.referrer : undefined;
  if (draw.chance(0.05)) open(sharing, made, at - draw.between(1_000, 5_000), visitor, { prefetch: true });
  if (!open(sharing, made, at, visitor, referrer ? { referrer } : {})) return;
  setting.script.count('opens.human');
  if (lost && channel.referrer) setting.script.count('opens.referrerLost');
  if (draw.chance(0.12)) open(sharing, made, at + draw.between(minuteMs, 14 * minuteMs), visitor);
  if (draw.chance(0.06)) open(sharing, made, at + draw.between(3 * hourMs, 2 * dayMs), visitor);
  if (!member || !draw.chance(resharesShare)) return;
  const parent = { shareId: made.shareId, depth: made.depth };
  const again = Math.floor(at + draw.between(20_000, 20 * minuteMs));
  sharing.impulses.push({ sharer: member, clip: made.clip, at: again, surface: 'share_landing', parent });
}

function someMember({ setting, draw }: Sharing, made: Made, at: number): Person | undefined {
  const friends = setting.graph.friendsOf(made.sharer);
  const other = friends.length > 0 && draw.chance(0.6) ? draw.pick(friends) : draw.pick(setting.people);
  return other !== made.sharer && other.registersAt + minuteMs < at ? other : undefined;
}

/** False when it would be after the end of the simulated time. */
export function open(
  { setting }: Sharing,
  { shareId }: { readonly shareId: string },
  at: number,
  { ip, userAgent, member }: Visitor,
  how: { readonly referrer?: string; readonly prefetch?: boolean } = {},
): boolean {
  if (at >= setting.rhythm.endMs) return false;
  const code = `{{code:${shareId}}}`;
  // An open may tell where the share went: it stands in order with the share's completion.
  const lanes = {
    writes: [`link:${shareId}`, `share:${shareId}`, ...(member ? [opensLane(member)] : [])],
    reads: member ? [`member:${member.id}`] : [],
  };
  const address = { 'User-Agent': userAgent, 'X-Forwarded-For': ip };
  if (member) {
    const body = { code, userAgent, ...(how.prefetch ? { prefetch: true } : {}) };
    const as = { caller: 'app', member: member.id, method: 'POST', path: '/v1/link-opens' } as const;
    setting.script.command({ at: Math.floor(at), ...as, body, headers: address, ...lanes });
  } else {
    const headers = {
      ...address,
      ...(how.referrer ? { Referer: how.referrer } : {}),
      ...(how.prefetch ? { 'Sec-Purpose': 'prefetch' } : {}),
    };
    setting.script.command({
      at: Math.floor(at),
      caller: 'importer',
      method: 'GET',
      path: `/s/${code}`,
      headers,
      ...lanes,
    });
  }
  setting.script.count('opens');
  return true;
}
