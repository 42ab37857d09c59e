// The brand metrics from the facts one by one, in memory, without ClickHouse: what the queries are tested against, and
// short enough to be read as the definition. Facts come in log order.
import type { Row } from '../../kernel/projection.js';
import { Calendar, weekOf } from '../calendar.js';
import { earlier, momentOf, numberOf, positionOf, textOf } from '../facts.js';
import type { Cell } from '../metric.js';
import { openMsBetween } from './opening-hours.js';
import type {
  BrandQuestion,
  ConversationSide,
  MoneyCount,
  OpeningHours,
  Percentiles,
  ReachCounts,
  ResponseCount,
  RevenueCounts,
  TalkCount,
} from './question.js';
import { clickWindowMs, creditWindowMs, episodeGapMs, viewWindowMs } from './specs.js';

/** Who may count: an adult who had agreed when the fact was recorded and has not withdrawn since. */
class Standing {
  private readonly adults = new Set<string>();
  private readonly withdrawnAt = new Map<string, bigint>();
  private readonly sensitive = new Map<string, boolean>();
  private readonly goodCards = new Set<string>();

  constructor(facts: readonly Row[]) {
    for (const fact of facts) {
      const member = textOf(fact, 'member_id');
      const name = textOf(fact, 'fact');
      if (name === 'MemberRegistered' && textOf(fact, 'age_band') === '18_plus') this.adults.add(member);
      if (name === 'ConsentWithdrawn' && textOf(fact, 'purpose') === 'brand_measurement') {
        this.withdrawnAt.set(member, positionOf(fact));
      }
      if (name === 'ProductListed' || name === 'ProductChanged') {
        this.sensitive.set(textOf(fact, 'product_id'), fact['sensitive'] === true);
      }
    }
    for (const fact of facts) {
      if (textOf(fact, 'fact') !== 'ProductCardSent' || textOf(fact, 'conversation_kind') !== 'direct') continue;
      if (this.person(fact, textOf(fact, 'sender_id'))) this.goodCards.add(cardKey(fact));
    }
  }

  counts(fact: Row): boolean {
    return this.person(fact, textOf(fact, 'member_id')) && this.sensitive.get(textOf(fact, 'product_id')) !== true;
  }

  /** A card in a direct conversation, of a sender who counts too. */
  fromFriend(fact: Row): boolean {
    const direct = textOf(fact, 'conversation_kind') === 'direct';
    return direct && textOf(fact, 'member_id') !== textOf(fact, 'sender_id') && this.goodCards.has(cardKey(fact));
  }

  private person(fact: Row, memberId: string): boolean {
    const agreed = fact['consent_brand'] === true && positionOf(fact) > (this.withdrawnAt.get(memberId) ?? -1n);
    return agreed && this.adults.has(memberId);
  }
}

function cardKey(fact: Row): string {
  return `${textOf(fact, 'card_id')} ${textOf(fact, 'sender_id')}`;
}

/** Facts of the brand by name, as of the question. */
function byName(question: BrandQuestion, facts: readonly Row[]): (name: string) => readonly Row[] {
  const own = facts.filter((fact) => textOf(fact, 'brand_id') === question.brandId && momentOf(fact) < question.asOfMs);
  return (name) => own.filter((fact) => textOf(fact, 'fact') === name);
}

class Dates {
  private readonly calendar: Calendar;
  constructor(private readonly question: BrandQuestion) {
    this.calendar = new Calendar(question.timeZone);
  }
  contains(ms: number): boolean {
    const day = this.calendar.dayOf(ms);
    return day >= this.question.range.from && day < this.question.range.to;
  }
  cell(ms: number, product?: string): Cell {
    const day = this.calendar.dayOf(ms);
    const values: Readonly<Record<string, string | undefined>> = { day, week: weekOf(day), product };
    const wanted = this.question.by.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]]));
    return Object.fromEntries(wanted) as Cell;
  }
}

/** Cells by their content, and the whole under an empty cell. */
class Tally<Value> {
  private readonly found = new Map<string, { cell: Cell; value: Value }>();
  constructor(private readonly empty: () => Value) {}
  at(cell: Cell, ...more: readonly string[]): Value {
    const key = JSON.stringify([cell, ...more]);
    let entry = this.found.get(key);
    if (!entry) {
      entry = { cell, value: this.empty() };
      this.found.set(key, entry);
    }
    return entry.value;
  }
  entries(): readonly { readonly cell: Cell; readonly value: Value }[] {
    return [...this.found.values()];
  }
}

export function referenceReach(question: BrandQuestion, facts: readonly Row[]): ReachCounts {
  const named = byName(question, facts);
  const standing = new Standing(facts);
  const dates = new Dates(question);
  const stepName = { view: 'ProductViewed', cart: 'ProductAddedToCart', purchase: 'PurchaseItem' } as const;
  const step = question.spec.step ?? 'view';
  const taps = named('ProductCardTapped').filter((fact) => standing.counts(fact) && standing.fromFriend(fact));
  const steps = named(stepName[step]).filter((fact) => standing.counts(fact));
  const cells = new Tally(() => ({ people: new Set<string>(), went: new Set<string>() }));
  for (const display of named('ProductCardDisplayed')) {
    const at = momentOf(display);
    if (!standing.counts(display) || !standing.fromFriend(display) || !dates.contains(at)) continue;
    const own = samePersonAndProduct(display);
    const later = steps.filter(own);
    const followed =
      later.some((one) => momentOf(one) >= at && momentOf(one) < at + viewWindowMs) ||
      taps.filter(own).some((tap) => {
        const tapped = momentOf(tap);
        const belongs = textOf(tap, 'card_id') === textOf(display, 'card_id');
        if (!belongs || tapped < at || tapped >= at + clickWindowMs) return false;
        return later.some(
          (one) =>
            (step === 'view' ? sameSession(tap, one) : momentOf(one) < tapped + clickWindowMs) &&
            momentOf(one) >= tapped,
        );
      });
    const person = textOf(display, 'member_id');
    for (const cell of [dates.cell(at, textOf(display, 'product_id')), 'total']) {
      const { people, went } = cells.at(cell === 'total' ? {} : (cell as Cell), cell === 'total' ? 'total' : 'cell');
      people.add(person);
      if (followed) went.add(person);
    }
  }
  const total = cells.at({}, 'total');
  const counts = cells
    .entries()
    .filter(({ value }) => value !== total)
    .map(({ cell, value }) => ({ cell, numerator: value.went.size, denominator: value.people.size }));
  return {
    rows: question.by.length === 0 ? [] : counts,
    total: { numerator: total.went.size, denominator: total.people.size },
  };
}

function samePersonAndProduct(display: Row): (fact: Row) => boolean {
  const [person, product] = [textOf(display, 'member_id'), textOf(display, 'product_id')];
  return (fact) => textOf(fact, 'member_id') === person && textOf(fact, 'product_id') === product;
}
function sameSession(tap: Row, view: Row): boolean {
  return textOf(tap, 'session_id') !== '' && textOf(tap, 'session_id') === textOf(view, 'session_id');
}
function sideOf(fact: Row): ConversationSide {
  return textOf(fact, 'conversation_kind') === 'direct' ? 'friend' : 'brand';
}

export function referenceRevenue(question: BrandQuestion, facts: readonly Row[]): RevenueCounts {
  const named = byName(question, facts);
  const standing = new Standing(facts);
  const dates = new Dates(question);
  const counts = (fact: Row) => standing.counts(fact) && (sideOf(fact) === 'brand' || standing.fromFriend(fact));
  const displays = named('ProductCardDisplayed').filter(counts);
  const touches = [...displays, ...named('ProductCardTapped').filter(counts)];
  const items = named('PurchaseItem').filter((fact) => standing.counts(fact));
  const money = new Tally(() => ({ booked: 0, cohort: 0, buyers: new Set<string>(), side: '', currency: '' }));
  const add = (fact: Row, at: number, view: 'booked' | 'cohort', touch: Row, isItem: boolean): void => {
    if (!dates.contains(at)) return;
    const side = sideOf(touch);
    const currency = textOf(fact, 'currency');
    const cells: readonly Cell[] = question.by.some((name) => name !== 'kind') ? [dates.cell(at), {}] : [{}];
    for (const cell of cells) {
      const entry = money.at(cell, side, currency);
      entry.side = side;
      entry.currency = currency;
      entry[view] += numberOf(fact, 'net_minor');
      if (isItem && view === 'booked') entry.buyers.add(textOf(fact, 'member_id'));
    }
  };
  const credit = (item: Row): Row | undefined => lastTouch(touches.filter(samePersonAndProduct(item)), momentOf(item));
  for (const item of items) {
    const touch = credit(item);
    if (touch) for (const view of ['booked', 'cohort'] as const) add(item, momentOf(item), view, touch, true);
  }
  for (const refund of named('RefundItem')) {
    const item = items.find(
      (one) => textOf(one, 'order_id') === textOf(refund, 'order_id') && samePersonAndProduct(refund)(one),
    );
    const touch = item && credit(item);
    if (!touch) continue;
    add(refund, momentOf(refund), 'booked', touch, false);
    add(refund, momentOf(item), 'cohort', touch, false);
  }
  return {
    money: money.entries().map(
      ({ cell, value }): MoneyCount => ({
        cell,
        side: value.side as ConversationSide,
        currency: value.currency,
        booked: value.booked,
        cohort: value.cohort,
        buyers: value.buyers.size,
      }),
    ),
    talk: talks(question, dates, displays),
  };
}

function lastTouch(touches: readonly Row[], at: number): Row | undefined {
  const order = (touch: Row): readonly [number, number, string] => [
    momentOf(touch),
    textOf(touch, 'fact') === 'ProductCardTapped' ? 1 : 0,
    textOf(touch, 'conversation_id'),
  ];
  return touches
    .filter((touch) => momentOf(touch) <= at && at - momentOf(touch) < creditWindowMs)
    .sort((a, b) => {
      const [left, right] = [order(a), order(b)];
      return left[0] - right[0] || left[1] - right[1] || (left[2] < right[2] ? -1 : 1);
    })
    .at(-1);
}

function talks(question: BrandQuestion, dates: Dates, displays: readonly Row[]): readonly TalkCount[] {
  const found = new Tally(() => ({ side: '', conversations: new Set<string>(), people: new Set<string>() }));
  for (const display of displays) {
    const at = momentOf(display);
    if (!dates.contains(at)) continue;
    const cells: readonly Cell[] = question.by.some((name) => name !== 'kind') ? [dates.cell(at), {}] : [{}];
    for (const cell of cells) {
      const entry = found.at(cell, sideOf(display));
      entry.side = sideOf(display);
      entry.conversations.add(textOf(display, 'conversation_id'));
      entry.people.add(textOf(display, 'member_id'));
    }
  }
  return found.entries().map(({ cell, value }) => ({
    cell,
    side: value.side as ConversationSide,
    conversations: value.conversations.size,
    people: value.people.size,
  }));
}

interface Episode {
  readonly opened: number;
  readonly customer: boolean;
  human: number | null;
  bot: number | null;
}

function episodesOf(messages: readonly Row[]): readonly Episode[] {
  const sorted = messages.toSorted((a, b) => momentOf(a) - momentOf(b) || (positionOf(a) < positionOf(b) ? -1 : 1));
  const episodes: Episode[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const message of sorted) {
    const at = momentOf(message);
    const isBrand = textOf(message, 'side') === 'brand';
    if (at - last >= episodeGapMs) episodes.push({ opened: at, customer: !isBrand, human: null, bot: null });
    last = at;
    const episode = episodes.at(-1);
    if (!episode || !isBrand) continue;
    if (textOf(message, 'sender_kind') === 'bot') episode.bot = earlier(episode.bot, at);
    else episode.human = earlier(episode.human, at);
  }
  return episodes;
}

export function referenceResponse(
  question: BrandQuestion,
  facts: readonly Row[],
  hours: OpeningHours | undefined,
): readonly ResponseCount[] {
  const dates = new Dates(question);
  const threads = new Tally((): Row[] => []);
  for (const fact of byName(question, facts)('MessageSent')) {
    if (textOf(fact, 'conversation_kind') === 'brand') threads.at({}, textOf(fact, 'conversation_id')).push(fact);
  }
  const cells = new Tally((): Episode[] => []);
  for (const { value } of threads.entries()) {
    for (const episode of episodesOf(value)) {
      if (!episode.customer || !dates.contains(episode.opened)) continue;
      if (question.by.length > 0) cells.at(dates.cell(episode.opened)).push(episode);
      cells.at({}).push(episode);
    }
  }
  return cells.entries().map(({ cell, value }) => {
    const times = (name: 'human' | 'bot') =>
      value.flatMap((one) => (one[name] === null ? [] : [one[name] - one.opened]));
    const open = value.flatMap(({ human, opened }) =>
      human === null || !hours ? [] : [openMsBetween(hours, opened, human)],
    );
    return {
      cell,
      episodes: value.length,
      answered: times('human').length,
      human: percentilesOf(times('human')),
      botAnswered: times('bot').length,
      bot: percentilesOf(times('bot')),
      businessHours: hours ? percentilesOf(open) : null,
    };
  });
}

/** By linear interpolation between the closest ranks (Hyndman and Fan's type 7). */
function percentilesOf(values: readonly number[]): Percentiles {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (level: number): number => {
    const rank = level * (sorted.length - 1);
    const [low = 0, high = low] = [sorted[Math.floor(rank)], sorted[Math.ceil(rank)]];
    return Math.round((low + (high - low) * (rank - Math.floor(rank))) * 1_000) / 1_000;
  };
  return [at(0.5), at(0.75), at(0.9)];
}
