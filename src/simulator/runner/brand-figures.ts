// The brands' figures: all six of the planted large brand, the hidden ones of the small, and every other brand compared.
import type { BrandFigures } from '../oracle/brands.js';
import type { Truth } from '../oracle/truth.js';
import { cellText, type Figure, figure, type Month, moneyText, peopleText, suppressedText } from './figure.js';
import type { Cell, ReadingApi } from './reading-api.js';

/** What one side says of a brand, by the figure's name. */
type Told = Readonly<Record<string, string>>;

export async function brandFiguresOf(truth: Truth, api: ReadingApi, month: Month): Promise<Figure[]> {
  const { large, small } = truth.brands;
  const compared: { brandId: string; known: Told; said: Told }[] = [];
  for (const [brandId, figures] of Object.entries(truth.observable.brands)) {
    compared.push({ brandId, known: knownOf(figures), said: await saidOf(brandId, api, month) });
  }
  const of = (wanted: string) => compared.find(({ brandId }) => brandId === wanted);
  const others = compared.filter(({ brandId }) => brandId !== large && brandId !== small);
  const agrees = others.every(({ known, said }) => Object.keys(known).every((name) => known[name] === said[name]));
  const name = `The other ${others.length} brands, the same ${Object.keys(others[0]?.known ?? {}).length} figures`;
  const numbers = others.flatMap(({ known }) => Object.values(known));
  const hidden = numbers.filter((text) => text === suppressedText).length;
  return [
    ...rows(large, of(large)),
    ...rows(small, of(small), truth.observable.brands[small]?.beforeSuppression),
    {
      name,
      happened: '–',
      observable: `${numbers.length}, ${hidden} suppressed`,
      service: agrees ? 'the same' : 'others',
      agrees,
    },
  ];
}

function rows(
  brandId: string,
  compared: { readonly known: Told; readonly said: Told } | undefined,
  hidden?: BrandFigures['beforeSuppression'],
): Figure[] {
  return Object.entries(compared?.known ?? {}).map(([name, known]) => {
    const happened =
      hidden && name === names.purchase ? `${hidden.purchase.numerator} of ${hidden.purchase.denominator}` : undefined;
    return figure(`${brandId}: ${name}`, happened, known, compared?.said[name] ?? 'nothing');
  });
}

const names = {
  view: 'viewed after a friend’s card',
  cart: 'put it in a cart',
  purchase: 'bought it',
  friend: 'revenue per friends’ conversation',
  brand: 'revenue per own conversation',
  response: 'first response, median',
} as const;

function knownOf({
  dmProductViewRate,
  dmCartRate,
  dmPurchaseRate,
  revenuePerConversation,
  firstResponse,
}: BrandFigures): Told {
  const money = (kind: 'friend' | 'brand') => {
    const figures = revenuePerConversation[kind];
    return 'suppressed' in figures ? suppressedText : moneyText(figures, figures.currency);
  };
  return {
    [names.view]: peopleText(dmProductViewRate),
    [names.cart]: peopleText(dmCartRate),
    [names.purchase]: peopleText(dmPurchaseRate),
    [names.friend]: money('friend'),
    [names.brand]: money('brand'),
    [names.response]: responseText(firstResponse.medianMs, firstResponse.answered, firstResponse.episodes),
  };
}

async function saidOf(brandId: string, api: ReadingApi, month: Month): Promise<Told> {
  const total = async (metric: string) => (await api.brandMetric(brandId, metric, month)).total;
  const revenue = await api.brandMetric(brandId, 'revenue-per-conversation', { ...month, by: 'kind' });
  const money = (kind: 'friend' | 'brand') => {
    const row = revenue.rows.find((one) => one['kind'] === kind);
    if (!row || row.suppressed) return cellText(row);
    const { numerator = Number.NaN, denominator = Number.NaN } = row;
    return moneyText({ numerator, denominator }, String(row['currency']));
  };
  const response = await total('first-response-time');
  return {
    [names.view]: cellText(await total('dm-product-view-rate')),
    [names.cart]: cellText(await total('dm-cart-rate')),
    [names.purchase]: cellText(await total('dm-purchase-rate')),
    [names.friend]: money('friend'),
    [names.brand]: money('brand'),
    [names.response]: responseText(medianMsOf(response), response.numerator ?? 0, response.denominator ?? 0),
  };
}

function medianMsOf({ medianSec }: Cell): number | null {
  return typeof medianSec === 'number' ? medianSec * 1_000 : null;
}
function responseText(medianMs: number | null, answered: number, episodes: number): string {
  const median = medianMs === null ? '–' : `${(medianMs / 1_000).toFixed(1)} s`;
  return `${median}, ${answered} of ${episodes} answered`;
}
