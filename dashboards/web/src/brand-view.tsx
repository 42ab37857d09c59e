// Brand view: did the talk sell something. Everything here has passed the privacy gate of the service; a cell with too
// few people says so and is never shown as zero.
import { useState } from 'preact/hooks';
import type { Api, Catalogue, MetricAnswer, MetricRow, SuppressedRow } from './api.js';
import { count, dayAfter, duration, instant, interval, money, percent, shiftDay } from './format.js';
import { Breakdown, type BreakdownRow, Card, Ready, ratedColumns, ratedFigures, Suppressed, Tile } from './parts.js';
import type { State } from './state.js';
import { TimeChart } from './time-chart.js';
import { type Answer, useAnswer } from './use-answer.js';

interface Props {
  readonly api: Api;
  readonly state: State;
  readonly change: (change: { brand?: string | undefined }) => void;
  readonly catalogue: Catalogue;
}
type Gated = MetricRow | SuppressedRow;
export interface RevenueRow extends MetricRow {
  readonly kind: 'friend' | 'brand';
  readonly currency: string;
}
export interface ResponseRow {
  readonly day?: string;
  readonly medianSec: number | null;
  readonly p75Sec: number | null;
  readonly p90Sec: number | null;
  readonly numerator: number;
  readonly denominator: number;
  readonly mature: boolean;
  readonly suppressed: false;
}

export function BrandView(props: Props) {
  const { state, change } = props;
  const [typed, setTyped] = useState(state.brand ?? '');
  return (
    <>
      <form
        class="chips"
        onSubmit={(event) => {
          event.preventDefault();
          change({ brand: typed.trim() || undefined });
        }}
      >
        <label>
          Brand id <input name="brand" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
        </label>
        <button type="submit">Show</button>
      </form>
      {state.brand ? <Figures {...props} brand={state.brand} /> : <p class="empty">Name a brand to see its figures.</p>}
    </>
  );
}

function Figures(props: Props & { brand: string }) {
  const { api, state, catalogue, brand } = props;
  const to = dayAfter(catalogue);
  const period = { from: shiftDay(to, -state.days), to };
  const useMetric = <Row,>(metric: string, by?: string) => {
    const query = { ...period, by };
    const key = JSON.stringify([brand, metric, query, catalogue.completeUpTo]);
    return useAnswer((signal) => api.brandMetric<Row>(brand, metric, query, signal), key);
  };
  const views = useMetric<Gated>('dm-product-view-rate');
  const carts = useMetric<Gated>('dm-cart-rate');
  const purchases = useMetric<Gated>('dm-purchase-rate');
  const byProduct = useMetric<Gated>('dm-purchase-rate', 'product');
  const revenue = useMetric<RevenueRow | SuppressedRow>('revenue-per-conversation', 'kind');
  const response = useMetric<ResponseRow>('first-response-time');
  const responseByDay = useMetric<ResponseRow>('first-response-time', 'day');
  return (
    <>
      <p class="complete">
        <CompleteUpTo of="What rests on messages" answer={views} />
        <CompleteUpTo of="Response times" answer={response} />
      </p>
      <div class="tiles">
        <RevenueTile kind="friend" name="Revenue per friend conversation" answer={revenue} />
        <RevenueTile kind="brand" name="Revenue per brand conversation" answer={revenue} />
        <Tile name="First response, median" title="First human message of the brand after a customer's first message">
          <Ready answer={response}>
            {({ total }) => (
              <>
                <div class="value">{total.medianSec === null ? '–' : duration(total.medianSec)}</div>
                <div class="of">
                  {count(total.numerator)} of {count(total.denominator)} answered
                  {total.p90Sec !== null && ` · 90 % within ${duration(total.p90Sec)}`}
                </div>
                {!total.mature && <span class="mark">not final yet</span>}
              </>
            )}
          </Ready>
        </Tile>
      </div>
      <Card title="After a friend's product card">
        <Funnel
          steps={[
            { name: 'then viewed it', answer: views },
            { name: 'then put it in a cart', answer: carts },
            { name: 'then bought it', answer: purchases },
          ]}
        />
        <p class="note">
          Distinct adults who agreed to brand measurement, on both ends of the message. Tap: 7 days (views: same
          session), display: 24 hours. Cells under 50 people are not shown.
        </p>
      </Card>
      <div class="cards">
        <Card title="Bought after a friend's card, by product">
          <Ready answer={byProduct} tall>
            {(answer) => <ByProduct answer={answer} />}
          </Ready>
        </Card>
        <Card title="First response by day">
          <Ready answer={responseByDay} tall>
            {(answer) => <ResponseByDay answer={answer} />}
          </Ready>
        </Card>
      </div>
    </>
  );
}

/** Each answer's own: what rests on messages between people stands still until its day is over. */
function CompleteUpTo<Row>(props: { of: string; answer: Answer<MetricAnswer<Row>> }) {
  if (props.answer.state !== 'ready') return null;
  const { completeUpTo, timeZone } = props.answer.data;
  return (
    <span>
      {props.of} complete up to <strong>{instant(completeUpTo, timeZone)}</strong>
    </span>
  );
}

function RevenueTile(props: {
  kind: 'friend' | 'brand';
  name: string;
  answer: Answer<MetricAnswer<RevenueRow | SuppressedRow>>;
}) {
  return (
    <Tile
      name={props.name}
      title="Net revenue credited to product cards within 7 days, per conversation with a card displayed"
    >
      <Ready answer={props.answer}>
        {(answer) => {
          const rows = answer.rows.filter((row) => row.kind === props.kind);
          if (rows.length === 0) return <div class="value">–</div>;
          return rows.map((row) =>
            row.suppressed ? (
              <div class="value" key="suppressed">
                <Suppressed minimum={row.minimum} />
              </div>
            ) : (
              <div key={row.currency}>
                <div class="value">{row.rate === null ? '–' : money(row.rate, row.currency)}</div>
                <div class="of">
                  {money(row.numerator, row.currency)} from {count(row.denominator)} conversations
                </div>
                {!row.mature && <span class="mark">not final yet</span>}
              </div>
            ),
          );
        }}
      </Ready>
    </Tile>
  );
}

function Funnel(props: { steps: readonly { name: string; answer: Answer<MetricAnswer<Gated>> }[] }) {
  const first = props.steps[0]?.answer;
  return (
    <div class="funnel">
      {first && (
        <Ready answer={first}>
          {({ total }) => (
            <Step
              name="saw the card"
              share={total.suppressed ? 0 : 1}
              figure={total.suppressed ? <Suppressed minimum={total.minimum} /> : `${count(total.denominator)} people`}
            />
          )}
        </Ready>
      )}
      {props.steps.map((step) => (
        <Ready answer={step.answer} key={step.name}>
          {({ total }) => (
            <Step
              name={step.name}
              share={total.suppressed ? 0 : (total.rate ?? 0)}
              immature={!total.suppressed && !total.mature}
              figure={
                total.suppressed ? (
                  <Suppressed minimum={total.minimum} />
                ) : (
                  <>
                    {total.rate === null ? '–' : percent(total.rate)}{' '}
                    <span class="of">
                      {count(total.numerator)} of {count(total.denominator)}
                      {total.interval && ` · 95 % interval ${interval(total.interval)}`}
                    </span>
                  </>
                )
              }
            />
          )}
        </Ready>
      ))}
    </div>
  );
}

function Step(props: { name: string; share: number; figure: preact.ComponentChildren; immature?: boolean }) {
  return (
    <div class="step">
      <span>{props.name}</span>
      <span class="track" style={{ '--share': `${props.share * 100}%` }}>
        <span class="fill" style={{ display: 'block' }} />
      </span>
      <span>
        {props.figure} {props.immature && <span class="mark">not final yet</span>}
      </span>
    </div>
  );
}

function ByProduct(props: { answer: MetricAnswer<Gated> }) {
  const shown = props.answer.rows.filter((row): row is MetricRow => !row.suppressed);
  const hidden = props.answer.rows.length - shown.length;
  const minimum = props.answer.rows.find((row): row is SuppressedRow => row.suppressed)?.minimum;
  const rows = shown
    .sort((a, b) => b.numerator - a.numerator)
    .map(
      (row): BreakdownRow => ({
        id: row.product ?? '',
        name: row.product ?? '',
        share: row.rate ?? 0,
        figures: ratedFigures(row),
      }),
    );
  return (
    <>
      {(rows.length > 0 || hidden === 0) && <Breakdown columns={ratedColumns('Product', 'People')} rows={rows} />}
      {shown.some((row) => !row.mature) && <span class="mark">not final yet</span>}
      {minimum !== undefined && (
        <p class="note">
          {count(hidden)} {hidden === 1 ? 'product is' : 'products are'} not shown: <Suppressed minimum={minimum} />
        </p>
      )}
    </>
  );
}

function ResponseByDay(props: { answer: MetricAnswer<ResponseRow> }) {
  const rows = new Map(props.answer.rows.map((row) => [row.day ?? '', row]));
  if (rows.size === 0) return <p class="empty">No customer has opened a conversation in this period.</p>;
  const days: string[] = [];
  for (let day = props.answer.from; day < props.answer.to; day = shiftDay(day, 1)) days.push(day);
  const immature = days.find((day) => rows.get(day)?.mature === false);
  return (
    <TimeChart
      label="Brand's first response time by day: median and 90th percentile"
      days={days}
      format={duration}
      immatureFrom={immature}
      series={[
        { name: 'median', colour: '--in-app', values: days.map((day) => rows.get(day)?.medianSec ?? null) },
        { name: '90th percentile', colour: '--off-platform', values: days.map((day) => rows.get(day)?.p90Sec ?? null) },
      ]}
    />
  );
}
