// The headline figures, three times: what happened, what a perfect observer of the delivered stream could know, and what
// the service says. The service agrees when it says the second, to the last unit.
import type { BrandFigures, PeopleFigure } from '../oracle/brands.js';
import type { Ratio } from '../oracle/sharing.js';
import type { Truth } from '../oracle/truth.js';
import { appFigures, shareFigures } from './app-figures.js';
import type { Cell, ReadingApi } from './reading-api.js';

export interface Figure {
  readonly name: string;
  /** What really happened, where it was counted; `–` where nobody counted it. */
  readonly happened: string;
  readonly observable: string;
  readonly service: string;
  readonly agrees: boolean;
}

export async function headlineFigures(truth: Truth, api: ReadingApi): Promise<Figure[]> {
  const month = { from: truth.from.slice(0, 10), to: truth.to.slice(0, 10) };
  return [
    ...(await sharingFigures(truth, api, month)),
    ...(await channelFigures(truth, api, month)),
    ...(await returnFigures(truth, api, month)),
    ...(await largeBrandFigures(truth, api, month)),
    ...(await smallBrandFigures(truth, api, month)),
    ...(await appFigures(truth, api)),
    ...(await shareFigures(truth, api)),
  ];
}

type Month = { readonly from: string; readonly to: string };

function figure(name: string, happened: string | number | undefined, observable: string, service: string): Figure {
  return { name, happened: String(happened ?? '–'), observable, service, agrees: observable === service };
}

const suppressedText = 'suppressed';
export function ratioText({ numerator, denominator }: Ratio): string {
  const rate = denominator === 0 ? '–' : `${((100 * numerator) / denominator).toFixed(2)} %`;
  return `${numerator} / ${denominator} = ${rate}`;
}
function cellText(cell: Cell | undefined): string {
  if (!cell) return 'no such row';
  if (cell.suppressed) return suppressedText;
  return ratioText({ numerator: cell.numerator ?? Number.NaN, denominator: cell.denominator ?? Number.NaN });
}
function peopleText(people: PeopleFigure): string {
  return 'suppressed' in people ? suppressedText : ratioText(people);
}

/** Minor units over conversations. */
function moneyText({ numerator, denominator }: Ratio, currency: string): string {
  const each = denominator === 0 ? '–' : (numerator / denominator / 100).toFixed(2);
  return `${(numerator / 100).toFixed(2)} ${currency} / ${denominator} = ${each}`;
}

async function sharingFigures({ happened, observable }: Truth, api: ReadingApi, month: Month): Promise<Figure[]> {
  const { inApp, offPlatform, leakageRate } = observable.sharing;
  const { total } = await api.metric('shares', month);
  const leakage = (await api.metric('leakage-rate', month)).total;
  return [
    figure('Shares inside the app', happened['shares.inApp'], String(inApp), String(total['inApp'])),
    figure(
      'Shares off the platform',
      happened['shares.offPlatform'],
      String(offPlatform),
      String(total['offPlatform']),
    ),
    figure('Leakage rate', undefined, ratioText(leakageRate), cellText(leakage)),
  ];
}

/** Single channels are shown where hidden and told channels differ most; all of them are compared. */
async function channelFigures({ happened, observable }: Truth, api: ReadingApi, month: Month): Promise<Figure[]> {
  const { declared, reclassified } = observable.sharing.channelMix;
  const { rows } = await api.metric('channel-mix', { ...month, limit: '100' });
  const column = (name: 'numerator' | 'reclassified') =>
    Object.fromEntries(
      rows.map((row) => [String(row['channel']), Number(row[name] ?? 0)]).filter(([, count]) => count !== 0),
    );
  const said = { declared: column('numerator'), reclassified: column('reclassified') };
  const both = (channel: string, from: { declared: Record<string, number>; reclassified: Record<string, number> }) =>
    `${from.declared[channel] ?? 0} told, ${from.reclassified[channel] ?? 0} with hints`;
  const known = { declared: { ...declared }, reclassified: { ...reclassified } };
  const whole = { name: 'Channel mix, every channel, both columns', happened: '–' };
  const channels = new Set([...Object.keys(declared), ...Object.keys(reclassified)]).size;
  const agrees = sameCounts(known.declared, said.declared) && sameCounts(known.reclassified, said.reclassified);
  return [
    ...['whatsapp', 'copy_link', 'unknown'].map((channel) =>
      figure(`Shared by ${channel}`, happened[`channel.${channel}`], both(channel, known), both(channel, said)),
    ),
    { ...whole, observable: `${channels} channels`, service: agrees ? 'the same' : 'others', agrees },
  ];
}

function sameCounts(a: Record<string, number>, b: Record<string, number>): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => a[name] === b[name]);
}

async function returnFigures(truth: Truth, api: ReadingApi, month: Month): Promise<Figure[]> {
  const { clickBackRate, talkBackRate } = truth.observable.sharing;
  const { happened, clickBackMatureBefore } = truth;
  const matureTo = clickBackMatureBefore < truth.from ? month.from : clickBackMatureBefore.slice(0, 10);
  const all = await api.metric('click-back-rate', { ...month, window: '7d' });
  const talk = await api.metric('talk-back-rate', { ...month, window: '24h' });
  const figures = [
    figure('Click-back rate, 7 d, all links', undefined, ratioText(clickBackRate.all), cellText(all.total)),
    figure('… and is it final?', undefined, 'no', all.total.mature === false ? 'no' : 'yes'),
    figure('Talk-back rate, 24 h', `${happened['talkBacks']} talked of`, ratioText(talkBackRate), cellText(talk.total)),
  ];
  if (matureTo === month.from) return figures;
  const mature = await api.metric('click-back-rate', { from: month.from, to: matureTo, window: '7d' });
  return [
    figure(
      `Click-back rate, 7 d, links before ${matureTo}`,
      undefined,
      ratioText(clickBackRate.mature),
      cellText(mature.total),
    ),
    figure('… and is it final?', undefined, 'yes', mature.total.mature === true ? 'yes' : 'no'),
    ...figures,
  ];
}

async function largeBrandFigures({ brands, observable }: Truth, api: ReadingApi, month: Month): Promise<Figure[]> {
  const brandId = brands.large;
  const truth = observable.brands[brandId] as BrandFigures;
  const total = async (name: string) => (await api.brandMetric(brandId, name, month)).total;
  const revenue = await api.brandMetric(brandId, 'revenue-per-conversation', { ...month, by: 'kind' });
  const response = await total('first-response-time');
  const money = (kind: 'friend' | 'brand') => {
    const row = revenue.rows.find((one) => one['kind'] === kind);
    if (!row || row.suppressed) return cellText(row);
    const { numerator = Number.NaN, denominator = Number.NaN } = row;
    return moneyText({ numerator, denominator }, String(row['currency']));
  };
  const known = (kind: 'friend' | 'brand') => {
    const figures = truth.revenuePerConversation[kind];
    return 'suppressed' in figures ? suppressedText : moneyText(figures, figures.currency);
  };
  const firstResponse = `${seconds(truth.firstResponse.medianMs)}, ${truth.firstResponse.answered} of ${truth.firstResponse.episodes} answered`;
  const said = `${seconds(medianMsOf(response))}, ${response.numerator} of ${response.denominator} answered`;
  return [
    figure(
      `${brandId}: viewed after a friend’s card`,
      undefined,
      peopleText(truth.dmProductViewRate),
      cellText(await total('dm-product-view-rate')),
    ),
    figure(
      `${brandId}: put it in a cart`,
      undefined,
      peopleText(truth.dmCartRate),
      cellText(await total('dm-cart-rate')),
    ),
    figure(
      `${brandId}: bought it`,
      undefined,
      peopleText(truth.dmPurchaseRate),
      cellText(await total('dm-purchase-rate')),
    ),
    figure(`${brandId}: revenue per friends’ conversation`, undefined, known('friend'), money('friend')),
    figure(`${brandId}: revenue per own conversation`, undefined, known('brand'), money('brand')),
    figure(`${brandId}: first response, median`, undefined, firstResponse, said),
  ];
}

function medianMsOf({ medianSec }: Cell): number | null {
  return typeof medianSec === 'number' ? medianSec * 1_000 : null;
}
function seconds(ms: number | null): string {
  return ms === null ? '–' : `${(ms / 1_000).toFixed(1)} s`;
}

async function smallBrandFigures({ brands, observable }: Truth, api: ReadingApi, month: Month): Promise<Figure[]> {
  const brandId = brands.small;
  const truth = observable.brands[brandId] as BrandFigures;
  const { total } = await api.brandMetric(brandId, 'dm-purchase-rate', month);
  const { numerator, denominator } = truth.beforeSuppression.purchase;
  return [
    figure(
      `${brandId}: bought it`,
      `${numerator} of ${denominator}`,
      peopleText(truth.dmPurchaseRate),
      cellText(total),
    ),
  ];
}
