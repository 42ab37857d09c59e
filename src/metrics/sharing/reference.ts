// The same questions answered from the facts one by one, in memory, without ClickHouse: what the queries are tested
// against, and short enough to be read as the definition.
import type { Row } from '../../kernel/projection.js';
import { Calendar } from '../calendar.js';
import { earlier, isAgreed, momentOf, numberOf, positionOf, textOf } from '../facts.js';
import { windows } from '../metric.js';
import { holds } from './predicate.js';
import type { MixCount, SharingCount, SharingCounts, SharingQuestion } from './question.js';
import { declaredEvidence, unknownChannel, unknownTarget } from './specs.js';
import type { Unit } from './units.js';

type Draft = { -readonly [Column in keyof Unit]: Unit[Column] };

function blank(id: string): Draft {
  return {
    id,
    at: null,
    sharer: '',
    position: 0n,
    channel: '',
    content: '',
    creator: '',
    destinationClass: '',
    evidence: '',
    reclassified: '',
    firstAnswerAt: null,
    firstClickBackAt: null,
  };
}

function describe(unit: Draft, fact: Row): void {
  unit.at = earlier(unit.at, momentOf(fact));
  unit.sharer = textOf(fact, 'sharer_id');
  unit.position = positionOf(fact);
  unit.channel = textOf(fact, 'destination');
  unit.content = textOf(fact, 'content_id');
  unit.creator = textOf(fact, 'creator_id');
  unit.destinationClass = textOf(fact, 'destination_class');
  unit.evidence = textOf(fact, 'channel_evidence');
}

/** Per kind of unit: which column of a fact names the unit it is about, and what the fact changes. Facts in log order. */
const folds: Readonly<
  Record<
    SharingQuestion['spec']['unit'],
    Readonly<Record<string, readonly [id: string, change: (unit: Draft, fact: Row) => void]>>
  >
> = {
  share: {
    ShareCompleted: ['share_id', describe],
    ShareChannelReclassified: [
      'share_id',
      (unit, fact) => {
        unit.reclassified = textOf(fact, 'destination');
      },
    ],
    MessageSent: [
      'answers_share_id',
      (unit, fact) => {
        unit.firstAnswerAt = earlier(unit.firstAnswerAt, momentOf(fact));
      },
    ],
  },
  link: {
    ShareLinkMinted: ['link_id', describe],
    ClickBackCounted: [
      'link_id',
      (unit, fact) => {
        unit.firstClickBackAt = earlier(unit.firstClickBackAt, momentOf(fact));
      },
    ],
  },
};

interface DatedUnit {
  readonly unit: Unit;
  readonly day: string;
}

function unitsOf(question: SharingQuestion, facts: readonly Row[]): readonly DatedUnit[] {
  const fold = folds[question.spec.unit];
  const units = new Map<string, Draft>();
  for (const fact of facts) {
    const [column, change] = fold[textOf(fact, 'fact')] ?? [];
    const id = column ? textOf(fact, column) : '';
    if (!change || id === '' || !isAgreed(fact) || numberOf(fact, 'row_number') !== 0) continue;
    const unit = units.get(id) ?? blank(id);
    units.set(id, unit);
    change(unit, fact);
  }
  const withdrawn = withdrawalsIn(facts);
  const calendar = new Calendar(question.timeZone);
  const { from, to } = question.range;
  const dated = [...units.values()].flatMap((unit) =>
    unit.at === null || unit.position <= (withdrawn.get(unit.sharer) ?? 0n)
      ? []
      : [{ unit, day: calendar.dayOf(unit.at) }],
  );
  return dated.filter(({ unit, day }) => day >= from && day < to && passes(question, unit));
}

/** Member → where in the log the last withdrawal of product analytics stands. Facts in log order. */
function withdrawalsIn(facts: readonly Row[]): ReadonlyMap<string, bigint> {
  const withdrawals = facts.filter(
    (fact) => textOf(fact, 'fact') === 'ConsentWithdrawn' && textOf(fact, 'purpose') === 'product_analytics',
  );
  return new Map(withdrawals.map((fact) => [textOf(fact, 'member_id'), positionOf(fact)]));
}

function passes(question: SharingQuestion, unit: Unit): boolean {
  const { channel, content, creator } = question.filters;
  return (
    holds(question.spec.counts, unit, windowMsOf(question)) &&
    (channel === undefined || unit.channel === channel) &&
    (content === undefined || unit.content === content) &&
    (creator === undefined || unit.creator === creator)
  );
}

function windowMsOf({ spec, window }: SharingQuestion): number {
  const name = window ?? spec.windows[0];
  return name ? windows[name] : 0;
}

function cellOf({ unit, day }: DatedUnit, by: readonly string[]): Record<string, string> {
  const values: Readonly<Record<string, string>> = {
    day,
    channel: unit.channel,
    content: unit.content,
    creator: unit.creator,
  };
  return Object.fromEntries(by.map((name) => [name, values[name] ?? '']));
}

export function referenceCounts(question: SharingQuestion, facts: readonly Row[]): SharingCounts {
  const cells = new Map<string, SharingCount>();
  const total = { numerator: 0, denominator: 0 };
  for (const dated of unitsOf(question, facts)) {
    const cell = cellOf(dated, question.by);
    const key = JSON.stringify(cell);
    const found = cells.get(key) ?? { cell, numerator: 0, denominator: 0 };
    const counted = holds(question.spec.property, dated.unit, windowMsOf(question)) ? 1 : 0;
    cells.set(key, { cell, numerator: found.numerator + counted, denominator: found.denominator + 1 });
    total.numerator += counted;
    total.denominator += 1;
  }
  return { rows: question.by.length === 0 ? [] : [...cells.values()], total };
}

export function referenceMix(question: SharingQuestion, facts: readonly Row[]): readonly MixCount[] {
  const others = question.by.filter((name) => name !== 'channel');
  const cells = new Map<string, MixCount>();
  const sizes = new Map<string, number>();
  for (const dated of unitsOf(question, facts)) {
    const rest = cellOf(dated, others);
    const group = JSON.stringify(rest);
    sizes.set(group, (sizes.get(group) ?? 0) + 1);
    for (const [column, channel] of Object.entries(channelsOf(dated.unit))) {
      const cell = { ...rest, channel };
      const key = JSON.stringify(cell);
      const found = cells.get(key) ?? { cell, declared: 0, reclassified: 0, of: 0 };
      cells.set(key, { ...found, [column]: found[column as 'declared'] + 1 });
    }
  }
  return [...cells.values()].map((count) => {
    const { channel: _, ...rest } = count.cell;
    return { ...count, of: sizes.get(JSON.stringify(rest)) ?? 0 };
  });
}

function channelsOf(unit: Unit): { readonly declared: string; readonly reclassified: string } {
  const declared = (declaredEvidence as readonly string[]).includes(unit.evidence) && unit.channel !== unknownTarget;
  const told = unit.evidence === 'unknown' ? unknownChannel : unit.channel;
  return {
    declared: declared ? unit.channel : unknownChannel,
    reclassified: unit.reclassified === '' ? told : unit.reclassified,
  };
}
