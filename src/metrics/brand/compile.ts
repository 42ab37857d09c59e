// A brand's question → ClickHouse queries over that brand's rows. Who may count is decided here, in the query, so that no
// row of a person who may not ever leaves the engine.
import { type Calendar } from '../calendar.js';
import { quoted } from '../sql.js';
import type { BrandQuestion, OpeningHours } from './question.js';
import { clickWindowMs, creditWindowMs, episodeGapMs, type ReachStep, viewWindowMs } from './specs.js';

const at = 'toUnixTimestamp64Milli(occurred_at)';
const adult = quoted('18_plus');

/** `day` and `week` of a moment (milliseconds since 1970) in the deployment's zone. */
function dates(moment: string, timeZone: string): Readonly<Record<string, string>> {
  const day = `toDate(fromUnixTimestamp64Milli(toInt64(${moment})), ${quoted(timeZone)})`;
  return { day: `toString(${day})`, week: `toString(toMonday(${day}))` };
}

/** `GROUP BY` the cells and, marked by `is_total`, everything. */
function grouped(names: readonly string[]): { readonly select: string; readonly groupBy: string } {
  const [first] = names;
  if (first === undefined) return { select: '1 AS is_total', groupBy: '' };
  return {
    select: `grouping(${first}) AS is_total`,
    groupBy: `GROUP BY GROUPING SETS ((${names.join(', ')}), ())`,
  };
}

function inRange(moment: string, { range, timeZone }: BrandQuestion): string {
  const day = `toDate(fromUnixTimestamp64Milli(toInt64(${moment})), ${quoted(timeZone)})`;
  return `(${day} >= ${quoted(range.from)} AND ${day} < ${quoted(range.to)})`;
}

/** The brand's rows from an instant on, up to the instant as of which is counted. */
function ownRows(question: BrandQuestion, build: number, facts: readonly string[], sinceMs: number): string {
  const brand = quoted(question.brandId);
  const list = facts.map(quoted).join(', ');
  const since = `fromUnixTimestamp64Milli(toInt64(${sinceMs}))`;
  const asOf = `fromUnixTimestamp64Milli(toInt64(${question.asOfMs}))`;
  return `SELECT * FROM brand_facts_v${build} FINAL WHERE brand_id = ${brand} AND fact IN (${list}) AND occurred_at >= ${since} AND occurred_at < ${asOf}`;
}

/** Common parts of the queries that count people. */
function withEligible(question: BrandQuestion, build: number): string {
  const brand = quoted(question.brandId);
  return `WITH standing AS (
  SELECT member_id, argMaxMerge(age_band) AS age, max(brand_withdrawn_at_position) AS withdrawn
  FROM member_facts_v${build} WHERE member_id IN (
    SELECT DISTINCT arrayJoin([member_id, sender_id]) FROM brand_facts_v${build}
    WHERE brand_id = ${brand} AND fact IN ('ProductCardSent', 'ProductCardDisplayed', 'ProductCardTapped'))
  GROUP BY member_id HAVING age = ${adult}),
sent AS (
  SELECT card_id, c.sender_id AS sender_id FROM brand_facts_v${build} AS c
  INNER JOIN standing AS s ON s.member_id = c.sender_id
  WHERE brand_id = ${brand} AND fact = 'ProductCardSent' AND conversation_kind = 'direct' AND consent_brand AND log_position > s.withdrawn),
sensitive AS (
  SELECT product_id FROM brand_facts_v${build} WHERE brand_id = ${brand} AND fact IN ('ProductListed', 'ProductChanged')
  GROUP BY product_id HAVING argMax(sensitive, log_position))`;
}

/** Rows that may count as they are: the person is an adult who had agreed and has not withdrawn since. */
function eligible(rows: string): string {
  return `SELECT r.* FROM (${rows}) AS r INNER JOIN standing AS p ON p.member_id = r.member_id
  WHERE r.consent_brand AND r.log_position > p.withdrawn AND r.product_id NOT IN (SELECT product_id FROM sensitive)`;
}

const fromFriend = `(conversation_kind = 'direct' AND member_id != sender_id AND (card_id, sender_id) IN (SELECT card_id, sender_id FROM sent))`;

const stepFacts: Readonly<Record<ReachStep, string>> = {
  view: 'ProductViewed',
  cart: 'ProductAddedToCart',
  purchase: 'PurchaseItem',
};

/** People per cell to whom a friend's card was displayed, and those of them who then took the step. */
export function compileReach(question: BrandQuestion, build: number, calendar: Calendar): string {
  const step = question.spec.step ?? 'view';
  const rows = ownRows(
    question,
    build,
    ['ProductCardDisplayed', 'ProductCardTapped', stepFacts[step]],
    calendar.startOf(question.range.from),
  );
  const afterTap =
    step === 'view' ? `s.2 = t.3 AND t.3 != '' AND s.1 >= t.1` : `s.1 >= t.1 AND s.1 < t.1 + ${clickWindowMs}`;
  const cells: Readonly<Record<string, string>> = {
    ...dates('display.1', question.timeZone),
    product: 'product_id',
  };
  const names = question.by.map((name) => `by_${name}`);
  const group = grouped(names);
  return `${withEligible(question, build)}
SELECT ${[...question.by.map((name) => `${cells[name]} AS by_${name}`), group.select].join(', ')},
  uniqExact(person) AS denominator, uniqExactIf(person, went) AS numerator
FROM (
  SELECT person, product_id, display, arrayExists(s -> s.1 >= display.1 AND s.1 < display.1 + ${viewWindowMs}, steps)
    OR arrayExists(t -> t.2 = display.2 AND t.1 >= display.1 AND t.1 < display.1 + ${clickWindowMs}
      AND arrayExists(s -> ${afterTap}, steps), taps) AS went
  FROM (
    SELECT member_id AS person, product_id,
      groupArrayIf((${at}, card_id), fact = 'ProductCardDisplayed' AND ${fromFriend} AND ${inRange(at, question)}) AS displays,
      groupArrayIf((${at}, card_id, session_id), fact = 'ProductCardTapped' AND ${fromFriend}) AS taps,
      groupArrayIf((${at}, session_id), fact = ${quoted(stepFacts[step])}) AS steps
    FROM (${eligible(rows)}) GROUP BY person, product_id HAVING notEmpty(displays)
  ) ARRAY JOIN displays AS display
) ${group.groupBy}`;
}

const side = `if(conversation_kind = 'direct', 'friend', 'brand')`;
/** A card of a friend who may count, or of the brand itself. */
const cardCounts = `(${fromFriend} OR conversation_kind = 'brand')`;

/** Conversations with a card displayed, and the people in them. */
export function compileTalk(question: BrandQuestion, build: number, calendar: Calendar): string {
  const rows = ownRows(question, build, ['ProductCardDisplayed'], calendar.startOf(question.range.from));
  const grains = question.by.filter((name) => name !== 'kind');
  const cells = dates(at, question.timeZone);
  const group = groupedBySide(grains, ['side']);
  return `${withEligible(question, build)}
SELECT ${[...grains.map((name) => `${cells[name]} AS by_${name}`), `${side} AS side`, group.select].join(', ')},
  uniqExact(conversation_id) AS conversations, uniqExact(member_id) AS people
FROM (${eligible(rows)}) WHERE ${cardCounts} AND ${inRange(at, question)} ${group.groupBy}`;
}

/** As `grouped`, with keys that are never summed over. */
function groupedBySide(
  grains: readonly string[],
  keys: readonly string[],
): { readonly select: string; readonly groupBy: string } {
  const names = grains.map((name) => `by_${name}`);
  const [first] = names;
  if (first === undefined) return { select: '1 AS is_total', groupBy: `GROUP BY ${keys.join(', ')}` };
  return {
    select: `grouping(${first}) AS is_total`,
    groupBy: `GROUP BY GROUPING SETS ((${[...keys, ...names].join(', ')}), (${keys.join(', ')}))`,
  };
}

/** Money of orders and refunds, credited whole to the buyer's last touch of the product. */
export function compileMoney(question: BrandQuestion, build: number, calendar: Calendar): string {
  // A refund in the range may be of an order, and so of a touch, of any age: nothing is cut off at the beginning.
  const rows = ownRows(question, build, ['ProductCardDisplayed', 'ProductCardTapped', 'PurchaseItem'], 0);
  const refunds = ownRows(question, build, ['RefundItem'], calendar.startOf(question.range.from));
  const grains = question.by.filter((name) => name !== 'kind');
  const cells = dates('dated', question.timeZone);
  const group = groupedBySide(grains, ['side', 'currency']);
  const lastTouch = (moment: string) =>
    `arrayReverseSort(t -> (t.1, t.2, t.3), arrayFilter(t -> t.1 <= ${moment} AND ${moment} - t.1 < ${creditWindowMs}, touches))[1].4`;
  return `${withEligible(question, build)}
SELECT ${[...grains.map((name) => `${cells[name]} AS by_${name}`), 'entry.4 AS side', 'entry.5 AS currency', group.select].join(', ')},
  sumIf(entry.3, view = 'booked') AS booked, sumIf(entry.3, view = 'cohort') AS cohort,
  uniqExactIf(person, view = 'booked' AND entry.6 = 1) AS buyers
FROM (
  SELECT person, entry, dating.1 AS view, dating.2 AS dated FROM (
    SELECT person, arrayJoin(arrayConcat(
      arrayMap(i -> (i.1, i.1, i.3, ${lastTouch('i.1')}, i.4, 1), items),
      arrayMap(r -> (r.1, arrayFirst(i -> i.2 = r.2, items).1, r.3,
        if(arrayExists(i -> i.2 = r.2, items), ${lastTouch('arrayFirst(i -> i.2 = r.2, items).1')}, ''), r.4, 0), refunds)
    )) AS entry
    FROM (
      SELECT member_id AS person, product_id,
        groupArrayIf((${at}, if(fact = 'ProductCardTapped', 1, 0), conversation_id, ${side}),
          fact IN ('ProductCardDisplayed', 'ProductCardTapped') AND ${cardCounts}) AS touches,
        groupArrayIf((${at}, order_id, net_minor, toString(currency)), fact = 'PurchaseItem') AS items,
        groupArrayIf((${at}, order_id, net_minor, toString(currency)), fact = 'RefundItem') AS refunds
      FROM (${eligible(rows)} UNION ALL ${refunds}) GROUP BY person, product_id HAVING notEmpty(touches) AND notEmpty(items)
    )
  ) ARRAY JOIN [('booked', entry.1), ('cohort', entry.2)] AS dating
) WHERE side != '' AND ${inRange('dated', question)} ${group.groupBy}`;
}

/** Milliseconds of a brand's open hours since some Monday long ago, at a moment: a difference of two is open time. */
function openTime(moment: string, { timeZone, days, from, to }: OpeningHours): string {
  const local = `toDateTime64(fromUnixTimestamp64Milli(toInt64(${moment})), 3, ${quoted(timeZone)})`;
  const day = `toRelativeDayNum(${local})`;
  const weekday = `((${day} + 3) % 7)`;
  const before = Array.from({ length: 7 }, (_, index) => days.filter((open) => open <= index).length);
  const clock = `(toHour(${local}) * 3600000 + toMinute(${local}) * 60000 + toSecond(${local}) * 1000 + toMillisecond(${local}))`;
  const perDay = (to - from) * 60_000;
  const today = `if(has([${days.join(', ')}], toUInt8(${weekday} + 1)), least(greatest(toInt64(${clock}) - ${from * 60_000}, 0), ${perDay}), 0)`;
  return `(toInt64(intDiv(${day} + 3, 7) * ${days.length} + [${before.join(', ')}][${weekday} + 1]) * ${perDay} + ${today})`;
}

/** Episodes that a customer opened, and how long the brand took to answer them. */
export function compileResponse(
  question: BrandQuestion,
  build: number,
  calendar: Calendar,
  hours: OpeningHours | undefined,
): string {
  // An episode in the range is one whose gap before it can be seen.
  const since = calendar.startOf(question.range.from) - episodeGapMs;
  const rows = ownRows(question, build, ['MessageSent'], since);
  const cells = dates('opened', question.timeZone);
  const group = grouped(question.by.map((name) => `by_${name}`));
  const percentiles = (value: string, condition: string, name: string) =>
    `quantilesExactInclusiveIf(0.5, 0.75, 0.9)(assumeNotNull(${value}), ${condition}) AS ${name}`;
  const business = hours
    ? percentiles(`${openTime('human_at', hours)} - ${openTime('opened', hours)}`, 'human_at IS NOT NULL', 'business')
    : '[] AS business';
  return `SELECT ${[...question.by.map((name) => `${cells[name]} AS by_${name}`), group.select].join(', ')},
  count() AS episodes, countIf(human_at IS NOT NULL) AS answered, countIf(bot_at IS NOT NULL) AS bot_answered,
  ${percentiles('human_at - opened', 'human_at IS NOT NULL', 'human')},
  ${percentiles('bot_at - opened', 'bot_at IS NOT NULL', 'bot')},
  ${business}
FROM (
  SELECT conversation_id, episode, min(at) AS opened, argMin(side, (at, log_position)) AS opened_by,
    minOrNullIf(at, side = 'brand' AND sender_kind = 'human') AS human_at,
    minOrNullIf(at, side = 'brand' AND sender_kind = 'bot') AS bot_at
  FROM (
    SELECT *, sum(begins) OVER (PARTITION BY conversation_id ORDER BY at, log_position ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS episode
    FROM (
      SELECT conversation_id, toString(side) AS side, toString(sender_kind) AS sender_kind, log_position, ${at} AS at,
        if(row_number() OVER w = 1 OR at - lagInFrame(at) OVER w >= ${episodeGapMs}, 1, 0) AS begins
      FROM (${rows}) WHERE conversation_kind = 'brand'
      WINDOW w AS (PARTITION BY conversation_id ORDER BY at, log_position ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    )
  ) GROUP BY conversation_id, episode
) WHERE opened_by = 'customer' AND ${inRange('opened', question)} ${group.groupBy}`;
}

/** What the brand last said of itself, its products that are not sensitive, and the currencies it prices and sells in. */
export function compileBrand(brandId: string, build: number): string {
  const brand = quoted(brandId);
  return `SELECT max(details) AS details, groupArrayIf(product_id, product_id != '' AND NOT sensitive_now) AS products,
  arraySort(groupUniqArrayArray(sold_in)) AS currencies
FROM (
  SELECT product_id, argMaxIf(details, log_position, fact = 'BrandRegistered') AS details,
    argMaxIf(sensitive, log_position, fact IN ('ProductListed', 'ProductChanged')) AS sensitive_now,
    groupUniqArrayIf(toString(currency), currency != '') AS sold_in
  FROM brand_facts_v${build} WHERE brand_id = ${brand} AND fact IN ('BrandRegistered', 'ProductListed', 'ProductChanged', 'PurchaseItem')
  GROUP BY product_id
)`;
}
