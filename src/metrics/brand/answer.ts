// A brand's question answered: as of when, on which grid, through the gate.
import { Problem } from '../../http/problem/problem.js';
import { toIso } from '../../kernel/clock.js';
import { Calendar } from '../calendar.js';
import type { FactsReader, FactsState } from '../facts-reader.js';
import type { MaturityRule } from '../figure.js';
import type { Maturity, RateFigure, Suppressed } from '../metric.js';
import { rowsMax } from '../metric-query.js';
import { askBrand, askReach, askResponse, askRevenue } from './ask.js';
import { reachFigures, responseFigures, revenueFigures } from './figures.js';
import { gridOf, gridSize } from './grid.js';
import type { BrandQuestion, ConversationSide } from './question.js';

interface Cells {
  readonly day?: string;
  readonly week?: string;
  readonly product?: string;
  readonly kind?: string;
}
export type ReachRow = Cells & ((RateFigure & Maturity & { readonly suppressed: false }) | Suppressed);
export type RevenueRow = Cells & { readonly kind: ConversationSide; readonly currency: string } & (
    | (RateFigure &
        Maturity & {
          /** Refunds dated by their order; `numerator` and `rate` date them by themselves (booked). */
          readonly cohort: { readonly numerator: number; readonly rate: number | null };
          readonly suppressed: false;
        })
    | Suppressed
  );
export interface ResponseFigure {
  readonly medianSec: number | null;
  readonly p75Sec: number | null;
  readonly p90Sec: number | null;
}
export interface ResponseRow extends Cells, ResponseFigure, RateFigure, Maturity {
  /** Null where the brand stated no opening hours. */
  readonly businessHours: ResponseFigure | null;
  readonly bot: ResponseFigure & { readonly answered: number };
  readonly suppressed: false;
}

export interface BrandAnswer<Row = ReachRow | RevenueRow | ResponseRow> {
  readonly metric: string;
  readonly definition: string;
  readonly brandId: string;
  readonly from: string;
  readonly to: string;
  readonly timeZone: string;
  readonly completeUpTo: string;
  readonly stale: boolean;
  readonly rows: readonly Row[];
  /** Of everything; revenue has `totals` instead, one for each kind and currency. */
  readonly total?: Row;
  readonly totals?: readonly Row[];
}

export async function answerBrand(
  reader: FactsReader,
  asked: Omit<BrandQuestion, 'asOfMs'>,
  state: FactsState,
  stale: boolean,
): Promise<BrandAnswer> {
  const { spec, range, timeZone, brandId } = asked;
  const calendar = new Calendar(timeZone);
  const completeUpToMs = asOf(asked, calendar, state);
  const question: BrandQuestion = { ...asked, asOfMs: completeUpToMs };
  const rule: MaturityRule = { calendar, range, maturesAfterMs: spec.maturesAfterMs(undefined), completeUpToMs };
  const about = await askBrand(reader, brandId, state.build);
  const { by } = question;
  const cells = gridSize({ by, range, products: about.products });
  if (cells > rowsMax) {
    throw new Problem('invalid-query', `/by: that would be ${cells} rows, at most ${rowsMax}: ask for fewer days`);
  }
  const grid = gridOf({
    by: by.filter((name) => name !== 'kind'),
    range,
    asOfMs: completeUpToMs,
    calendar,
    products: about.products,
  });
  const figures =
    spec.kind === 'reach'
      ? reachFigures(question, rule, grid, await askReach(reader, question, state.build))
      : spec.kind === 'revenue'
        ? revenueFigures(
            question,
            rule,
            { grid, currencies: about.currencies },
            await askRevenue(reader, question, state.build),
          )
        : responseFigures(question, rule, await askResponse(reader, question, state.build, about.hours));
  return {
    metric: spec.name,
    definition: `${spec.numerator} / ${spec.denominator}`,
    brandId,
    ...range,
    timeZone,
    completeUpTo: toIso(completeUpToMs),
    stale,
    ...figures,
  };
}

/**
 * Figures that rest on messages between people move once a day, when the day is over: who watches them all the time must
 * not see which message it was that moved them.
 */
function asOf({ spec }: Pick<BrandQuestion, 'spec'>, calendar: Calendar, { completeUpToMs }: FactsState): number {
  return spec.kind === 'response' ? completeUpToMs : calendar.startOf(calendar.dayOf(completeUpToMs));
}
