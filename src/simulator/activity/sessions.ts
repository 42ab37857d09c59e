// When people have the app open, and what they look at: sessions and content views, the denominators of everything.
import { minuteMs } from '../../kernel/clock.js';
import { type Clip, contentRef } from '../world/catalogue.js';
import type { Person } from '../world/people.js';
import type { Setting } from '../world/setting.js';

export interface Session {
  readonly id: string;
  readonly person: Person;
  readonly startsAt: number;
  readonly endsAt: number;
}
export interface View {
  readonly person: Person;
  readonly session: Session;
  readonly at: number;
  readonly clip: Clip;
  readonly viewId: string;
  readonly feedRequestId: string;
  readonly position: number;
}

/** Chance that the app ends without a word. */
const lostEndChance = 0.05;

export function makeSessions(setting: Setting): Session[] {
  const { profile, rhythm, people } = setting;
  const sessions: Session[] = [];
  for (const person of people) {
    const draw = setting.random.stream('sessions', person.index);
    for (let day = 0; day < profile.days; day += 1) {
      const chance = profile.activeDayChance * person.activity ** 0.4 * rhythm.liveliness(day);
      const count = draw.chance(Math.min(0.97, chance)) ? draw.geometric(profile.sessionsPerActiveDay) : 0;
      for (let index = 0; index < Math.min(count, 8); index += 1) {
        const startsAt = rhythm.instantOn(day, person.utcOffsetHours, draw);
        const lengthMs = Math.min(90 * minuteMs, Math.max(8_000, draw.logNormal(6 * minuteMs, 0.9)));
        const session = { id: draw.uuidAt(startsAt), person, startsAt, endsAt: Math.floor(startsAt + lengthMs) };
        if (startsAt <= person.registersAt + minuteMs) continue;
        sessions.push(session);
        observeSession(
          setting,
          session,
          draw.weighted({ organic: 60, notification: 26, push: 14 }),
          draw.chance(lostEndChance),
        );
      }
    }
  }
  return sessions.sort((a, b) => a.startsAt - b.startsAt || (a.id < b.id ? -1 : 1));
}

export function observeSession({ script }: Setting, session: Session, entry: string, endLost: boolean): void {
  const { id: sessionId, person, startsAt, endsAt } = session;
  const from = sourceOf(person);
  script.observe({
    at: startsAt,
    source: from,
    id: `${sessionId}.s`,
    type: 'SessionStarted',
    data: { sessionId, memberId: person.id, entry },
  });
  script.count('sessions');
  if (endLost) return;
  const engagedMs = endsAt - startsAt;
  const data = { sessionId, memberId: person.id, engagedMs };
  script.observe({ at: endsAt, source: from, id: `${sessionId}.e`, type: 'SessionEnded', data });
}

/** The CloudEvents source of a person's device. */
export function sourceOf(person: Person): string {
  return `app/${person.platform}`;
}

export function makeViews(setting: Setting, sessions: readonly Session[]): View[] {
  const { profile, catalogue, script } = setting;
  const draw = setting.random.stream('views');
  const views: View[] = [];
  for (const session of sessions) {
    const feedRequestId = draw.uuidAt(session.startsAt);
    const count = draw.negativeBinomial(profile.viewsPerSession);
    const times = Array.from({ length: count }, () =>
      Math.floor(draw.between(session.startsAt + 1_500, session.endsAt)),
    );
    for (const [position, at] of times.sort((a, b) => a - b).entries()) {
      const clip = catalogue.drawClip(draw);
      const view = { person: session.person, session, at, clip, viewId: draw.uuidAt(at), feedRequestId, position };
      views.push(view);
      const dwellMs = Math.round(Math.min(180_000, Math.max(1_000, draw.logNormal(9_000, 0.9))));
      script.observe(observationOf(view, dwellMs));
      script.count('views');
    }
  }
  return views;
}

function observationOf({ person, session, at, clip, viewId, feedRequestId, position }: View, dwellMs: number) {
  const seen = { viewId, memberId: person.id, contentRef: contentRef(clip), surface: 'feed', dwellMs };
  const data = { ...seen, feedRequestId, position, sessionId: session.id };
  return { at, source: sourceOf(person), id: viewId, type: 'ContentViewed', data };
}
