// Moments of life: published to friends, seen, reacted to; a few deleted, half of them within minutes.
import { dayMs, hourMs, minuteMs } from '../../kernel/clock.js';
import { pairId } from '../../kernel/ids.js';
import type { Person } from '../world/people.js';
import { deviceHeaders, type Setting } from '../world/setting.js';
import { sentence } from '../world/wording.js';
import { sourceOf } from './sessions.js';

const reactions = ['❤️', '😂', '🔥', '👏', '😮'];
const deletedShare = 0.024;

export function makeMoments(setting: Setting): void {
  const { profile, rhythm, people } = setting;
  const draw = setting.random.stream('moments');
  const weights = people.map((person) => person.activity);
  for (let day = 0; day < profile.days; day += 1) {
    const count = draw.poisson(profile.momentsPerDay * rhythm.liveliness(day));
    for (let index = 0; index < count; index += 1) {
      const author = people[draw.weightedIndex(weights)] as Person;
      const at = rhythm.instantOn(day, author.utcOffsetHours, draw);
      if (at > author.registersAt + hourMs) makeMoment(setting, author, at);
    }
  }
}

function makeMoment(setting: Setting, author: Person, at: number): void {
  const draw = setting.random.stream('moment', author.id, at);
  const momentId = draw.uuidAt(at);
  const kind = draw.weighted({ photo: 60, video: 30, text: 10 });
  const contentRef = { kind, contentId: momentId, creatorId: author.id, category: 'life' };
  const acts = { setting, author, momentId };
  act(acts, author, at, {
    method: 'POST',
    path: '/v1/moments',
    body: { momentId, contentRef, ...(draw.chance(0.7) || kind === 'text' ? { caption: sentence(draw) } : {}) },
  });
  setting.script.count('moments');
  const soon = draw.chance(0.5) ? draw.exponential(8 * minuteMs) : draw.between(hourMs, 5 * dayMs);
  const deletedAt = draw.chance(deletedShare) ? at + minuteMs + soon : Number.POSITIVE_INFINITY;
  if (deletedAt < setting.rhythm.endMs) {
    act(acts, author, deletedAt, { method: 'DELETE', path: `/v1/moments/${momentId}` });
  }
  for (const friend of setting.graph.friendsOf(author)) {
    const seenAt = at + minuteMs + draw.exponential(9 * hourMs);
    const [sees, reacts] = [draw.chance(0.55 * Math.min(1.4, friend.activity)), draw.chance(0.4)];
    if (
      !sees ||
      seenAt > Math.min(deletedAt, setting.rhythm.endMs) ||
      !setting.graph.areFriends(author, friend, seenAt)
    ) {
      continue;
    }
    seen(acts, friend, seenAt, Math.round(Math.max(700, draw.logNormal(4_000, 0.8))));
    const reactsAt = seenAt + draw.between(800, 5_000);
    if (!reacts || reactsAt + 1_000 > deletedAt || !setting.graph.areFriends(author, friend, reactsAt)) continue;
    const path = `/v1/moments/${momentId}/reaction`;
    act(acts, friend, reactsAt, { method: 'PUT', path, body: { reaction: draw.pick(reactions) } });
    if (draw.chance(0.03)) act(acts, friend, Math.min(reactsAt + 20_000, deletedAt - 500), { method: 'DELETE', path });
  }
}

interface Acts {
  readonly setting: Setting;
  readonly author: Person;
  readonly momentId: string;
}

function act(
  { setting, author, momentId }: Acts,
  by: Person,
  at: number,
  request: { method: 'POST' | 'PUT' | 'DELETE'; path: string; body?: Record<string, string | Record<string, string>> },
): void {
  setting.script.command({
    at: Math.floor(at),
    caller: 'app',
    member: by.id,
    ...request,
    headers: deviceHeaders(by),
    writes: [`moment:${momentId}`],
    reads: [`member:${by.id}`, ...(by === author ? [] : [`pair:${pairId(by.id, author.id)}`])],
  });
}

function seen({ setting, author, momentId }: Acts, viewer: Person, at: number, dwellMs: number): void {
  const data = { momentId, authorId: author.id, viewerId: viewer.id, dwellMs };
  setting.script.observe({
    at: Math.floor(at),
    source: sourceOf(viewer),
    id: `${momentId}.${viewer.index}`,
    type: 'MomentSeen',
    data,
  });
}
