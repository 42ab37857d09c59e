// When people are awake: weights of the local hours of a day and of the days of a week (docs: domain 6, diurnal/weekly).
// Trough 4–6, rise to a plateau 12–17, peak 20–23, about 10:1; weekends one hour later and a little livelier.
import { dayMs, hourMs, toMs } from '../../kernel/clock.js';
import type { Profile } from '../profile.js';
import { type Random, RankTable } from '../random.js';

const hourWeights = [
  3.2, 2, 1.3, 0.9, 0.8, 0.8, 1.2, 2.2, 3.2, 3.8, 4.4, 5, 5.6, 5.8, 5.7, 5.6, 5.7, 6, 6.4, 7, 8, 8.6, 8.2, 5.6,
];
const weekdayWeights = [1.08, 0.95, 0.95, 0.97, 1, 1.1, 1.14];

export class Rhythm {
  readonly startMs: number;
  /** End of the month: nothing new begins after it. */
  readonly closeMs: number;
  /** End of the simulated time. */
  readonly endMs: number;
  readonly days: number;
  readonly #tables = new Map<string, RankTable>();

  constructor(profile: Profile) {
    this.startMs = toMs(profile.startsAt);
    this.days = profile.days;
    this.closeMs = this.startMs + profile.days * dayMs;
    this.endMs = this.closeMs + profile.settleDays * dayMs;
  }

  /** Sunday = 0; 1 January 1970 was a Thursday. */
  weekday(day: number): number {
    return (Math.floor(this.startMs / dayMs) + day + 4) % 7;
  }
  /** How lively a day of the month is; the mean is about 1. */
  liveliness(day: number): number {
    return weekdayWeights[this.weekday(day)] as number;
  }

  /** An instant of that day of the month (UTC day) at which somebody with this offset from UTC is likely to be awake. */
  instantOn(day: number, utcOffsetHours: number, random: Random): number {
    const weekend = [0, 6].includes(this.weekday(day));
    const hour = this.#table(utcOffsetHours, weekend).draw(random);
    return Math.floor(this.startMs + day * dayMs + (hour + random.float()) * hourMs);
  }

  #table(utcOffsetHours: number, weekend: boolean): RankTable {
    const key = `${utcOffsetHours}/${weekend}`;
    let table = this.#tables.get(key);
    if (!table) {
      const shift = utcOffsetHours - (weekend ? 1 : 0);
      table = new RankTable(hourWeights.map((_, hour) => hourWeights[(hour + shift + 48) % 24] as number));
      this.#tables.set(key, table);
    }
    return table;
  }
}
