// Requests and their answers: accepted, crossed, declined, taken back, left open; friendships that end, blocks.
import { dayMs, hourMs } from '../../kernel/clock.js';
import { pairId } from '../../kernel/ids.js';
import { mayMeet, type Tie } from '../world/friend-graph.js';
import type { Person } from '../world/people.js';
import { deviceHeaders, type Setting } from '../world/setting.js';
import { sentence } from '../world/wording.js';

const origins = { suggestion: 34, search: 22, contact_match: 18, profile: 16, qr: 6, mutual_conversation: 4 } as const;
/** Requests that come to nothing, for every one that is accepted. */
const fruitlessShare = 0.22;

export function makeFriendships(setting: Setting): void {
  for (const [index, tie] of setting.graph.ties.entries()) makeTie(setting, tie, index);
  makeFruitless(setting);
}

type Act = { readonly at: number; readonly by: Person; readonly other: Person };

function send(
  { script }: Setting,
  { at, by, other }: Act,
  request: { method: 'POST' | 'PUT' | 'DELETE'; path: string; body?: Record<string, string> },
): void {
  script.command({
    at: Math.floor(at),
    caller: 'app',
    member: by.id,
    ...request,
    headers: deviceHeaders(by),
    writes: [`pair:${pairId(by.id, other.id)}`],
    reads: [`member:${by.id}`, `member:${other.id}`],
  });
}

function ask(setting: Setting, act: Act, origin: string, note?: string): void {
  const body = { toMemberId: act.other.id, origin, ...(note ? { note } : {}) };
  send(setting, act, { method: 'POST', path: '/v1/friend-requests', body });
  setting.script.count('friendRequests');
}
function reply(setting: Setting, act: Act, verdict: 'accept' | 'decline' | 'cancel'): void {
  send(setting, act, { method: 'POST', path: `/v1/friend-requests/${act.other.id}/${verdict}`, body: {} });
}

function makeTie(setting: Setting, tie: Tie, index: number): void {
  const draw = setting.random.stream('tie', index);
  const origin = draw.weighted(origins);
  ask(
    setting,
    { at: tie.requestedAt, by: tie.from, other: tie.to },
    origin,
    draw.chance(0.1) ? sentence(draw) : undefined,
  );
  const answer = { at: tie.since, by: tie.to, other: tie.from };
  if (tie.crossed) ask(setting, answer, origin);
  else reply(setting, answer, 'accept');
  setting.script.count('friendships');
  if (tie.endsAt === undefined) return;
  const [by, other] = draw.chance(0.5) ? [tie.from, tie.to] : [tie.to, tie.from];
  const act = { at: tie.endsAt, by, other };
  if (tie.endedBy === 'removal') {
    send(setting, act, { method: 'DELETE', path: `/v1/friends/${other.id}` });
    return;
  }
  const path = `/v1/blocks/${other.id}`;
  send(setting, act, { method: 'PUT', path, body: { context: draw.pick(['profile', 'conversation']) } });
  if (draw.chance(0.3))
    send(setting, { ...act, at: tie.endsAt + draw.between(1, 20) * hourMs }, { method: 'DELETE', path });
}

/** Between people who do not become friends. */
function makeFruitless(setting: Setting): void {
  const { people, graph, rhythm } = setting;
  const draw = setting.random.stream('fruitless');
  const asked = new Set<string>();
  for (let left = Math.round(graph.ties.length * fruitlessShare); left > 0; left -= 1) {
    const [by, other] = [draw.pick(people), draw.pick(people)];
    const at = rhythm.instantOn(draw.below(rhythm.days), by.utcOffsetHours, draw);
    const [fate, delay] = [
      draw.weighted({ declined: 45, cancelled: 20, open: 35 }),
      draw.exponential(1.4 * dayMs) + 60_000,
    ];
    const pair = pairId(by.id, other.id);
    if (by === other || asked.has(pair) || graph.tie(by, other) || !mayMeet(by, other)) continue;
    if (at < Math.max(by.registersAt, other.registersAt) + hourMs) continue;
    asked.add(pair);
    ask(setting, { at, by, other }, draw.weighted(origins));
    if (fate === 'open' || at + delay > rhythm.closeMs) continue;
    if (fate === 'declined') reply(setting, { at: at + delay, by: other, other: by }, 'decline');
    else reply(setting, { at: at + delay, by, other }, 'cancel');
  }
}
