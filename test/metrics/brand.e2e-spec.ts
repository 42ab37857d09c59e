// Every brand metric, by every dimension, equal to the reference evaluation on generated histories, before the gate.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Row } from '../../src/kernel/projection.js';
import { answerBrand } from '../../src/metrics/brand/answer.js';
import { askBrand, askReach, askResponse, askRevenue } from '../../src/metrics/brand/ask.js';
import { openingHours } from '../../src/metrics/brand/opening-hours.js';
import type { BrandQuestion } from '../../src/metrics/brand/question.js';
import { referenceReach, referenceResponse, referenceRevenue } from '../../src/metrics/brand/reference.js';
import { type BrandSpec, brandSpecs } from '../../src/metrics/brand/specs.js';
import type { FactsReader } from '../../src/metrics/facts-reader.js';
import { compareCells } from '../../src/metrics/figure.js';
import type { BrandDimension } from '../../src/metrics/metric.js';
import { history } from '../projections/history.js';
import { type TestEngine, testEngine } from '../projector/clickhouse/engine.js';
import { factsOf, load, recorded } from './town.js';

const towns = [
  { seed: 21, timeZone: 'UTC' },
  { seed: 22, timeZone: 'America/New_York' },
];
let engine: TestEngine;
const loaded: { facts: readonly Row[]; reader: FactsReader; timeZone: string; build: number }[] = [];

beforeAll(async () => {
  engine = testEngine();
  for (const [index, { seed, timeZone }] of towns.entries()) {
    const events = recorded(history({ seed, people: 14, steps: 2_500, from: '2026-02-20T00:00:00.000Z', days: 24 }));
    const reader = await load(engine, index + 1, events, timeZone);
    loaded.push({ facts: factsOf(events), reader, timeZone, build: index + 1 });
  }
});
afterAll(() => engine.close());

function* questions(kind: BrandSpec['kind'], timeZone: string): Iterable<BrandQuestion> {
  const bys: readonly (readonly BrandDimension[])[] = [[], ['day'], ['week'], ['product'], ['day', 'product']];
  for (const spec of brandSpecs.filter((one) => one.kind === kind)) {
    for (const brandId of ['b0', 'b1', 'nobody']) {
      for (const by of bys.filter((names) => names.every((name) => spec.dimensions.includes(name)))) {
        // Of one brand as it stood in the middle, so that what came after must be left out.
        const asOfMs = Date.parse(brandId === 'b1' ? '2026-03-08T05:00:00.000Z' : '2026-04-01T00:00:00.000Z');
        yield { spec, brandId, range: { from: '2026-02-23', to: '2026-03-13' }, timeZone, by, asOfMs };
      }
    }
  }
}

const dimensions = ['side', 'currency', 'day', 'week', 'product'];
function sorted<Count extends { readonly cell: Readonly<Record<string, string>> }>(
  counts: readonly Count[],
): unknown[] {
  const keyed = counts.map((count) => ({
    count,
    cell: { ...(count as object), ...count.cell } as Record<string, string>,
  }));
  return keyed.toSorted(compareCells(dimensions)).map(({ count }) => count);
}

describe.each(towns)('brand metrics in $timeZone', ({ timeZone }) => {
  const town = () => loaded.find((one) => one.timeZone === timeZone) as (typeof loaded)[number];

  it('reach: who viewed, put in a cart, bought', async () => {
    const { facts, reader, build } = town();
    let went = 0;
    let stayed = 0;
    for (const question of questions('reach', timeZone)) {
      const found = await askReach(reader, question, build);
      const wanted = referenceReach(question, facts);
      expect({ ...question, ...found.total }).toEqual({ ...question, ...wanted.total });
      expect(sorted(found.rows)).toEqual(sorted(wanted.rows));
      for (const { numerator, denominator } of found.rows) {
        went += numerator;
        stayed += denominator - numerator;
      }
    }
    expect(went).toBeGreaterThan(20);
    expect(stayed).toBeGreaterThan(20);
  });

  it('revenue: booked and cohort, by kind and currency', async () => {
    const { facts, reader, build } = town();
    const seen = new Set<string>();
    let refunded = 0;
    for (const question of questions('revenue', timeZone)) {
      const found = await askRevenue(reader, question, build);
      const wanted = referenceRevenue(question, facts);
      expect(sorted(found.money)).toEqual(sorted(wanted.money));
      expect(sorted(found.talk)).toEqual(sorted(wanted.talk));
      for (const { side, currency, booked, cohort } of found.money) {
        seen.add(`${side} ${currency}`);
        if (booked !== cohort) refunded += 1;
      }
    }
    expect([...seen]).toEqual(expect.arrayContaining(['brand EUR', 'friend EUR', 'friend JPY']));
    expect(refunded).toBeGreaterThan(0);
  });

  it('first response: people and bots apart, and in opening hours', async () => {
    const { facts, reader, build } = town();
    let withHours = 0;
    for (const question of questions('response', timeZone)) {
      const { hours } = await askBrand(reader, question.brandId, build);
      const stated = facts.find((fact) => fact['fact'] === 'BrandRegistered' && fact['brand_id'] === question.brandId);
      expect(hours).toEqual(openingHours(String(stated?.['details'] ?? '')));
      const found = await askResponse(reader, question, build, hours);
      const wanted = referenceResponse(question, facts, hours);
      const counted = found.filter(({ episodes }) => episodes > 0);
      expect(sorted(counted)).toEqual(sorted(wanted));
      if (hours) withHours += counted.filter(({ businessHours }) => businessHours !== null).length;
    }
    expect(withHours).toBeGreaterThan(5);
  });

  it('answers every cell of the grid, so that a missing one says nothing', async () => {
    const { reader, build } = town();
    const state = { build, position: 0n, completeUpToMs: Date.parse('2026-03-10T12:00:00.000Z') };
    for (const spec of brandSpecs.filter(({ kind }) => kind !== 'response')) {
      const ask = {
        spec,
        brandId: 'b0',
        range: { from: '2026-03-02', to: '2026-03-20' },
        timeZone,
        by: ['day'] as const,
      };
      const { rows, total, totals, completeUpTo } = await answerBrand(reader, ask, state, false);
      // The running day and those to come are not on it.
      expect(Date.parse(completeUpTo)).toBeLessThan(state.completeUpToMs);
      const friends = rows.filter(
        (row) => !('kind' in row) || (row.kind === 'friend' && 'currency' in row && row.currency === 'EUR'),
      );
      expect(friends.map(({ day }) => day)).toEqual(
        Array.from({ length: 8 }, (_, index) => `2026-03-${String(index + 2).padStart(2, '0')}`),
      );
      // Fourteen people are too few for any of them, and a suppressed row has no figure in it.
      for (const row of [...friends, ...(total ? [total] : [])]) {
        expect(row).toMatchObject({ suppressed: true, minimum: 50 });
        expect(
          Object.keys(row).filter((name) => !['day', 'kind', 'currency', 'suppressed', 'minimum'].includes(name)),
        ).toEqual([]);
      }
      // What is the brand's own is shown.
      const own = (totals ?? []).filter((row) => 'kind' in row && row.kind === 'brand');
      for (const row of own) expect(row.suppressed).toBe(false);
      if (spec.kind === 'revenue') expect(own.length).toBeGreaterThan(0);
    }
  });
});
