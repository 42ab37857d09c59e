// One figure held against the truth, and how its two sides are written down.
import type { PeopleFigure } from '../oracle/brands.js';
import type { Ratio } from '../oracle/sharing.js';
import type { Cell } from './reading-api.js';

export interface Figure {
  readonly name: string;
  /** What really happened, where it was counted; `–` where nobody counted it. */
  readonly happened: string;
  readonly observable: string;
  readonly service: string;
  readonly agrees: boolean;
}

/** Dates, `to` exclusive; a type, because an interface is no record of texts. */
export type Month = { readonly from: string; readonly to: string };

/** Agrees when both sides say the same. */
export function figure(
  name: string,
  happened: string | number | undefined,
  observable: string,
  service: string,
): Figure {
  return { name, happened: String(happened ?? '–'), observable, service, agrees: observable === service };
}

export const suppressedText = 'suppressed';
export function ratioText({ numerator, denominator }: Ratio): string {
  const rate = denominator === 0 ? '–' : `${((100 * numerator) / denominator).toFixed(2)} %`;
  return `${numerator} / ${denominator} = ${rate}`;
}
export function cellText(cell: Cell | undefined): string {
  if (!cell) return 'no such row';
  if (cell.suppressed) return suppressedText;
  return ratioText({ numerator: cell.numerator ?? Number.NaN, denominator: cell.denominator ?? Number.NaN });
}
export function peopleText(people: PeopleFigure): string {
  return 'suppressed' in people ? suppressedText : ratioText(people);
}

/** Minor units over conversations. */
export function moneyText({ numerator, denominator }: Ratio, currency: string): string {
  const each = denominator === 0 ? '–' : (numerator / denominator / 100).toFixed(2);
  return `${(numerator / 100).toFixed(2)} ${currency} / ${denominator} = ${each}`;
}
