// Every sharing metric, by every dimension, equal to the reference evaluation on generated histories.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Row } from '../../src/kernel/projection.js';
import { askActivity } from '../../src/metrics/activity/answer.js';
import { referenceActivity } from '../../src/metrics/activity/reference.js';
import { activitySpecs } from '../../src/metrics/activity/specs.js';
import type { FactsReader } from '../../src/metrics/facts-reader.js';
import { compareCells } from '../../src/metrics/figure.js';
import { type SharingDimension, sharingDimensions, type WindowName } from '../../src/metrics/metric.js';
import { answerSharing, askCounts, askMix } from '../../src/metrics/sharing/answer.js';
import type { SharingQuestion } from '../../src/metrics/sharing/question.js';
import { referenceCounts, referenceMix } from '../../src/metrics/sharing/reference.js';
import { sharingSpecs } from '../../src/metrics/sharing/specs.js';
import { history } from '../projections/history.js';
import { type TestEngine, testEngine } from '../projector/clickhouse/engine.js';
import { factsOf, load, recorded } from './town.js';

const towns = [
  { seed: 11, timeZone: 'UTC' },
  // A zone with a half hour and one whose clocks change within the month.
  { seed: 12, timeZone: 'Asia/Kolkata' },
  { seed: 13, timeZone: 'America/New_York' },
];
let engine: TestEngine;
const loaded: { facts: readonly Row[]; reader: FactsReader; timeZone: string; build: number }[] = [];

beforeAll(async () => {
  engine = testEngine();
  for (const [index, { seed, timeZone }] of towns.entries()) {
    const events = recorded(history({ seed, people: 25, steps: 900, from: '2026-02-20T00:00:00.000Z', days: 24 }));
    const reader = await load(engine, index + 1, events, timeZone);
    loaded.push({ facts: factsOf(events), reader, timeZone, build: index + 1 });
  }
});
afterAll(() => engine.close());

const bys: readonly (readonly SharingDimension[])[] = [
  [],
  ...sharingDimensions.map((name) => [name]),
  ['day', 'channel'],
  ['channel', 'content', 'creator'],
  ['day', 'creator'],
];
const filters = [{}, { channel: 'whatsapp' }, { creator: 'cr1' }, { content: 'v2', channel: 'dm' }];

function sorted<Count extends { cell: Readonly<Record<string, string>> }>(counts: readonly Count[]): readonly Count[] {
  return counts.toSorted(compareCells(sharingDimensions));
}

function* questions(timeZone: string): Iterable<SharingQuestion> {
  for (const spec of sharingSpecs) {
    for (const window of spec.windows.length > 0 ? spec.windows : ([undefined] as (WindowName | undefined)[])) {
      for (const by of bys) {
        for (const filter of filters) {
          const range = { from: '2026-02-24', to: '2026-03-14' };
          yield { spec, range, timeZone, by, window, filters: filter, limit: 10_000 };
        }
      }
    }
  }
}

describe('sharing metrics', () => {
  it.each(towns)('equal the reference evaluation in $timeZone', async ({ timeZone }) => {
    const { facts, reader, build } = loaded.find((town) => town.timeZone === timeZone) as (typeof loaded)[number];
    let counted = 0;
    for (const question of questions(timeZone)) {
      if (question.spec.mix) {
        const found = await askMix(reader, question, build);
        expect(sorted(found)).toEqual(sorted(referenceMix(question, facts)));
      } else {
        const found = await askCounts(reader, question, build);
        const wanted = referenceCounts(question, facts);
        expect(found.total).toEqual(wanted.total);
        expect(sorted(found.rows)).toEqual(sorted(wanted.rows));
        counted += found.total.numerator;
      }
    }
    expect(counted).toBeGreaterThan(100);
  });

  it.each(towns)('activity equals the reference evaluation in $timeZone', async ({ timeZone }) => {
    const { facts, reader, build } = loaded.find((town) => town.timeZone === timeZone) as (typeof loaded)[number];
    for (const spec of activitySpecs) {
      for (const byDay of [false, true]) {
        const question = { spec, range: { from: '2026-02-24', to: '2026-03-14' }, timeZone, byDay };
        const order = compareCells(['day', 'kind']);
        const found = await askActivity(reader, question, build);
        expect(found.toSorted(order)).toEqual(referenceActivity(question, facts).toSorted(order));
        expect(found.length).toBeGreaterThan(spec.kind === 'activity' ? 8 : 0);
      }
    }
  });

  it('says what a limit cut off, so that rows and rest are the total', async () => {
    const { reader, timeZone, build } = loaded[0] as (typeof loaded)[number];
    const state = { build, position: 0n, completeUpToMs: Date.parse('2026-03-12T00:00:00.000Z') };
    for (const spec of sharingSpecs) {
      const question: SharingQuestion = {
        spec,
        range: { from: '2026-02-20', to: '2026-03-16' },
        timeZone,
        by: ['channel'],
        window: undefined,
        filters: {},
        limit: 2,
      };
      const answer = await answerSharing(reader, question, state, false);
      expect(answer.rows).toHaveLength(2);
      const parts = [...answer.rows, ...(answer.rest ? [answer.rest] : [])];
      expect(parts.reduce((sum, row) => sum + row.numerator, 0)).toBe(answer.total.numerator);
      expect(answer.total.numerator).toBeGreaterThan(0);
    }
  });

  it('marks the days whose window is not over', async () => {
    const { reader, timeZone, build } = loaded[0] as (typeof loaded)[number];
    const spec = sharingSpecs.find(({ name }) => name === 'click-back-rate') as (typeof sharingSpecs)[number];
    const question: SharingQuestion = {
      spec,
      range: { from: '2026-02-24', to: '2026-03-10' },
      timeZone,
      by: ['day'],
      window: '7d',
      filters: {},
      limit: 100,
    };
    const state = { build, position: 0n, completeUpToMs: Date.parse('2026-03-10T00:00:00.000Z') };
    const answer = await answerSharing(reader, question, state, false);
    const mature = answer.rows.filter((row) => row.mature).map((row) => row.day);
    expect(mature.at(-1)).toBe('2026-03-02');
    expect(answer.rows.find((row) => row.day === '2026-03-03')?.matureUntil).toBe('2026-03-11T00:00:00.000Z');
    expect(answer.total.mature).toBe(false);
  });
});
