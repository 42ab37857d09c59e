// The people: who they are, when they come, what they agree to, and the device they hold.
import { dayMs, hourMs, minuteMs } from '../../kernel/clock.js';
import type { Profile } from '../profile.js';
import type { Random } from '../random.js';
import type { Rhythm } from './rhythm.js';

export interface Person {
  readonly index: number;
  readonly id: string;
  readonly handle: string;
  readonly displayName: string;
  readonly ageBand: '13_15' | '16_17' | '18_plus' | 'unknown';
  readonly country: string;
  readonly utcOffsetHours: number;
  readonly platform: 'ios' | 'android' | 'web';
  readonly userAgent: string;
  readonly ip: string;
  readonly registersAt: number;
  readonly newcomer: boolean;
  /** Relative liveliness; the mean is about 1, the tail heavy. */
  readonly activity: number;
  /** Gives and takes direct messages: old enough, and open to them. */
  readonly chats: boolean;
  readonly settings?: {
    readonly allowIncoming: 'everyone' | 'friends' | 'none';
    readonly readReceipts: boolean;
    readonly discoverable: boolean;
    readonly showSharer: boolean;
  };
  /** brand_measurement: when it was given and, by some, taken back. */
  readonly consentAt?: number;
  readonly withdrawsAt?: number;
  /** Communities: where one lives or learns, and what one likes. */
  readonly place: number;
  readonly interest: number;
}

const syllables = ['ka', 'mi', 'ro', 'le', 'ta', 'no', 'sa', 'vi', 'du', 'en', 'lo', 'ri', 'pe', 'ju', 'ma', 'zo'];
const countries = { AT: 12, DE: 22, FR: 14, GB: 16, PL: 8, US: 20, BR: 8 };
const utcOffsets: Readonly<Record<string, number>> = { AT: 2, DE: 2, FR: 2, GB: 1, PL: 2, US: -5, BR: -3 };
const devices = {
  ios: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
  android:
    'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36',
  web: 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
} as const;

/** 80 % of adults agree to brand measurement. */
const consentShare = 0.8;

export function makePeople(profile: Profile, rhythm: Rhythm, random: Random): Person[] {
  const draw = random.stream('people');
  const communities = Math.max(2, Math.round(profile.people / 40));
  return Array.from({ length: profile.people }, (_, index) =>
    makePerson(index, { profile, rhythm, draw, communities }),
  );
}

function makePerson(
  index: number,
  by: { profile: Profile; rhythm: Rhythm; draw: Random; communities: number },
): Person {
  const { draw, rhythm } = by;
  const newcomer = index >= by.profile.people * (1 - by.profile.newcomerShare);
  const registersAt = Math.floor(
    newcomer
      ? draw.between(rhythm.startMs + dayMs, rhythm.closeMs - 3 * dayMs)
      : rhythm.startMs - dayMs + draw.between(0, 5.5 * hourMs),
  );
  const name = Array.from({ length: 2 + draw.below(2) }, () => draw.pick(syllables)).join('');
  const country = draw.weighted(countries);
  const platform = draw.weighted({ ios: 42, android: 48, web: 10 });
  const ageBand = draw.weighted({ '13_15': 4, '16_17': 6, '18_plus': 85, unknown: 5 });
  const allowIncoming = draw.weighted({ everyone: 70, friends: 28, none: 2 });
  const settings = { allowIncoming, readReceipts: draw.chance(0.8), discoverable: draw.chance(0.9) };
  const showSharer = ageBand === '18_plus' && draw.chance(0.15);
  return {
    index,
    id: draw.uuidAt(registersAt),
    handle: `${name}${index}`,
    displayName: `${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    ageBand,
    country,
    utcOffsetHours: utcOffsets[country] as number,
    platform,
    userAgent: devices[platform],
    ip: `10.${index >> 8}.${index & 255}.${1 + draw.below(250)}`,
    registersAt,
    newcomer,
    activity: Math.min(4, Math.max(0.15, draw.logNormal(0.78, 0.7))),
    chats: ageBand !== '13_15' && allowIncoming !== 'none',
    ...(draw.chance(0.15) || allowIncoming !== 'everyone' || showSharer
      ? { settings: { ...settings, showSharer } }
      : {}),
    ...consentOf(ageBand, registersAt, by),
    place: draw.below(by.communities),
    interest: draw.below(by.communities),
  };
}

function consentOf(
  ageBand: Person['ageBand'],
  registersAt: number,
  { draw, rhythm }: { draw: Random; rhythm: Rhythm },
): Pick<Person, 'consentAt' | 'withdrawsAt'> {
  const [agrees, late, withdraws] = [draw.chance(consentShare), draw.chance(0.04), draw.chance(0.04)];
  const lateAt = draw.between(rhythm.startMs + dayMs, rhythm.closeMs - dayMs);
  const backAt = draw.between(rhythm.startMs + dayMs, rhythm.closeMs);
  if (ageBand !== '18_plus' || !agrees) return {};
  const soon = registersAt + draw.between(0.2, 8) * minuteMs;
  const consentAt = Math.floor(late ? Math.max(soon, lateAt) : soon);
  return withdraws && backAt > consentAt + dayMs ? { consentAt, withdrawsAt: Math.floor(backAt) } : { consentAt };
}

/** Agreed and never took it back: counts in a brand's figures from then on. */
export function staysMeasurable(person: Person): boolean {
  return person.ageBand === '18_plus' && person.consentAt !== undefined && person.withdrawsAt === undefined;
}
