// Puts a brand's questions to ClickHouse and reads the counts, before the gate: nothing of this leaves as it is.
import { Calendar } from '../calendar.js';
import type { FactsReader } from '../facts-reader.js';
import { brandDimensions, type Cell } from '../metric.js';
import { compileBrand, compileMoney, compileReach, compileResponse, compileTalk } from './compile.js';
import { openingHours } from './opening-hours.js';
import type {
  BrandQuestion,
  ConversationSide,
  OpeningHours,
  Percentiles,
  ReachCounts,
  ResponseCount,
  RevenueCounts,
} from './question.js';

type Answered = Readonly<Record<string, string | number | null | readonly number[]>>;

function cellOf(row: Answered): Record<string, string> {
  const values = brandDimensions.filter((name) => row[`by_${name}`] !== undefined);
  return Object.fromEntries(values.map((name) => [name, String(row[`by_${name}`])]));
}
function isTotal(row: Answered): boolean {
  return Number(row['is_total']) === 1;
}
function cellOrTotal(row: Answered): Cell {
  return isTotal(row) ? {} : cellOf(row);
}

/** What is known of a brand whatever is asked. */
export interface AboutBrand {
  readonly hours: OpeningHours | undefined;
  /** Ids of the products that may have figures. */
  readonly products: readonly string[];
  /** It prices or sells in. */
  readonly currencies: readonly string[];
}

export async function askBrand(reader: FactsReader, brandId: string, build: number): Promise<AboutBrand> {
  const [row] = await reader.rows<{ details: string; products: string[]; currencies: string[] }>(
    compileBrand(brandId, build),
  );
  return {
    hours: openingHours(row?.details ?? ''),
    products: row?.products ?? [],
    currencies: row?.currencies ?? [],
  };
}

export async function askReach(reader: FactsReader, question: BrandQuestion, build: number): Promise<ReachCounts> {
  const rows = await reader.rows<Answered>(compileReach(question, build, new Calendar(question.timeZone)));
  const counts = rows.map((row) => ({
    cell: cellOrTotal(row),
    total: isTotal(row),
    numerator: Number(row['numerator']),
    denominator: Number(row['denominator']),
  }));
  const none = { numerator: 0, denominator: 0 };
  const { numerator, denominator } = counts.find(({ total }) => total) ?? none;
  return {
    rows: counts
      .filter(({ total }) => !total)
      .map(({ cell, numerator, denominator }) => ({ cell, numerator, denominator })),
    total: { numerator, denominator },
  };
}

export async function askRevenue(reader: FactsReader, question: BrandQuestion, build: number): Promise<RevenueCounts> {
  const calendar = new Calendar(question.timeZone);
  const money = await reader.rows<Answered>(compileMoney(question, build, calendar));
  const talk = await reader.rows<Answered>(compileTalk(question, build, calendar));
  return {
    money: money.map((row) => ({
      cell: cellOrTotal(row),
      side: row['side'] as ConversationSide,
      currency: String(row['currency']),
      booked: Number(row['booked']),
      cohort: Number(row['cohort']),
      buyers: Number(row['buyers']),
    })),
    talk: talk.map((row) => ({
      cell: cellOrTotal(row),
      side: row['side'] as ConversationSide,
      conversations: Number(row['conversations']),
      people: Number(row['people']),
    })),
  };
}

export async function askResponse(
  reader: FactsReader,
  question: BrandQuestion,
  build: number,
  hours: OpeningHours | undefined,
): Promise<readonly ResponseCount[]> {
  const calendar = new Calendar(question.timeZone);
  const rows = await reader.rows<Answered>(compileResponse(question, build, calendar, hours));
  return rows.map((row) => {
    const answered = Number(row['answered']);
    const botAnswered = Number(row['bot_answered']);
    const percentiles = (name: string, of: number) => (of > 0 ? rounded(row[name] as readonly number[]) : null);
    return {
      cell: cellOrTotal(row),
      episodes: Number(row['episodes']),
      answered,
      human: percentiles('human', answered),
      botAnswered,
      bot: percentiles('bot', botAnswered),
      businessHours: hours ? percentiles('business', answered) : null,
    };
  });
}

/** Interpolation leaves fractions that mean nothing: to the microsecond. */
function rounded([median = 0, p75 = 0, p90 = 0]: readonly number[]): Percentiles {
  const round = (ms: number) => Math.round(ms * 1_000) / 1_000;
  return [round(median), round(p75), round(p90)];
}
