// What the page asks of the service: metric answers, nothing else. Same origin, an API key in the header.

export interface MetricRow {
  readonly day?: string;
  readonly week?: string;
  readonly channel?: string;
  readonly content?: string;
  readonly creator?: string;
  readonly product?: string;
  readonly kind?: string;
  readonly numerator: number;
  readonly denominator: number;
  readonly rate: number | null;
  readonly interval: readonly [number, number] | null;
  readonly matureUntil: string;
  readonly mature: boolean;
  readonly suppressed: false;
}
/** A cell with too few people: it says so, and nothing else. */
export interface SuppressedRow {
  readonly day?: string;
  readonly week?: string;
  readonly product?: string;
  readonly kind?: string;
  readonly suppressed: true;
  readonly minimum: number;
}
export interface MetricAnswer<Row = MetricRow> {
  readonly metric: string;
  readonly definition: string;
  readonly from: string;
  readonly to: string;
  readonly timeZone: string;
  readonly completeUpTo: string;
  readonly rows: readonly Row[];
  readonly total: Row;
}
export interface Catalogue {
  readonly timeZone: string;
  readonly completeUpTo: string;
  readonly metrics: readonly { readonly name: string; readonly definition: string }[];
}
export type Query = Readonly<Record<string, string | undefined>>;

export interface Api {
  catalogue(signal: AbortSignal): Promise<Catalogue>;
  metric(name: string, query: Query, signal: AbortSignal): Promise<MetricAnswer>;
  brandMetric<Row>(brandId: string, name: string, query: Query, signal: AbortSignal): Promise<MetricAnswer<Row>>;
  /** The same figures on the command line; the key is left for the reader to fill in. */
  curl(name: string, query: Query): string;
}

export function createApi(key: string): Api {
  const ask = async <Data>(path: string, signal: AbortSignal): Promise<Data> => {
    const response = await fetch(path, { signal, headers: { authorization: `Bearer ${key}` } });
    const body: unknown = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(problemText(response.status, body));
    return body as Data;
  };
  return {
    catalogue: (signal) => ask('/v1/metrics', signal),
    metric: (name, query, signal) => ask(`/v1/metrics/${encodeURIComponent(name)}${search(query)}`, signal),
    brandMetric: (brandId, name, query, signal) =>
      ask(`/v1/brands/${encodeURIComponent(brandId)}/metrics/${encodeURIComponent(name)}${search(query)}`, signal),
    curl: (name, query) =>
      `curl -H "Authorization: Bearer $HOMING_KEY" '${location.origin}/v1/metrics/${name}${search(query)}'`,
  };
}

function search(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) params.set(name, value);
  return params.size > 0 ? `?${params}` : '';
}

function problemText(status: number, body: unknown): string {
  const problem = body as { title?: string; detail?: string; code?: string };
  return `${problem.detail ?? problem.title ?? `The service answered ${status}`}${problem.code ? ` (${problem.code})` : ''}`;
}
