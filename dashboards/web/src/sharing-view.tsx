// Sharing overview: how much is shared, how much of it leaves, what comes back. Tiles → days → breakdowns.
import type { Api, Catalogue, MetricAnswer, MetricRow } from './api.js';
import { ratedTable } from './csv.js';
import { count, dayAfter, label, percent, shiftDay } from './format.js';
import { Breakdown, type BreakdownRow, Card, RateValue, Ready, ratedColumns, ratedFigures, Tile } from './parts.js';
import type { State } from './state.js';
import { TimeChart } from './time-chart.js';
import { type Answer, useAnswer } from './use-answer.js';

interface Props {
  readonly api: Api;
  readonly state: State;
  readonly change: (change: { channel?: string; creator?: string; content?: string }) => void;
  readonly catalogue: Catalogue;
}
const rowsMax = 12;

export function SharingView(props: Props) {
  const { api, state, change, catalogue } = props;
  const to = dayAfter(catalogue);
  const from = shiftDay(to, -state.days);
  const filters = { channel: state.channel, creatorId: state.creator, contentId: state.content };
  const useMetric = (metric: string, by: string, period: { from: string; to: string } = { from, to }) => {
    const query = { ...period, by, ...filters };
    return useAnswer(
      (signal) => api.metric(metric, query, signal),
      JSON.stringify([metric, query, catalogue.completeUpTo]),
    );
  };
  const before = { from: shiftDay(from, -state.days), to: from };
  const leakage = useMetric('leakage-rate', 'day');
  const leakageBefore = useMetric('leakage-rate', 'day', before);
  const clickBack = useMetric('click-back-rate', 'day');
  const clickBackBefore = useMetric('click-back-rate', 'day', before);
  const talkBack = useMetric('talk-back-rate', 'day');
  const talkBackBefore = useMetric('talk-back-rate', 'day', before);
  const channels = useMetric('channel-mix', 'channel');
  const clickBackByChannel = useMetric('click-back-rate', 'channel');
  const creators = useMetric('leakage-rate', 'creator');
  const contents = useMetric('leakage-rate', 'content');
  return (
    <>
      <div class="tiles">
        <Tile name="Shares" title="Completed shares, in the app and off the platform">
          <Ready answer={leakage}>
            {(answer) => (
              <>
                <div class="value">{count(answer.total.denominator)}</div>
                <div class="of">
                  {count(answer.total.denominator - answer.total.numerator)} in the app ·{' '}
                  {count(answer.total.numerator)} off the platform
                </div>
              </>
            )}
          </Ready>
        </Tile>
        <RateTile
          name="Off-platform rate"
          metric="leakage-rate"
          catalogue={catalogue}
          now={leakage}
          before={leakageBefore}
        />
        <RateTile
          name="Click-back rate, 7 d"
          metric="click-back-rate"
          catalogue={catalogue}
          now={clickBack}
          before={clickBackBefore}
        />
        <RateTile
          name="Talk-back rate, 24 h"
          metric="talk-back-rate"
          catalogue={catalogue}
          now={talkBack}
          before={talkBackBefore}
        />
      </div>
      <Card title="Shares by day" curl={api.curl('leakage-rate', { from, to, by: 'day', ...filters })}>
        <Ready answer={leakage} tall>
          {(answer) => <SharesByDay answer={answer} />}
        </Ready>
      </Card>
      <div class="cards">
        <Card wide title="Coming back by day" curl={api.curl('click-back-rate', { from, to, by: 'day', ...filters })}>
          <Ready answer={clickBack} tall>
            {(clicks) => <Ready answer={talkBack}>{(talks) => <BackByDay clicks={clicks} talks={talks} />}</Ready>}
          </Ready>
        </Card>
        <BreakdownCard
          title="Channels"
          unit="Shares"
          answer={channels}
          dimension="channel"
          bar="rate"
          api={api}
          onChoose={(channel) => change({ channel })}
        />
        <BreakdownCard
          title="Click-back by channel"
          unit="Links"
          answer={clickBackByChannel}
          dimension="channel"
          bar="rate"
          api={api}
          onChoose={(channel) => change({ channel })}
        />
        <BreakdownCard
          title="Off-platform rate by creator"
          unit="Shares"
          answer={creators}
          dimension="creator"
          bar="denominator"
          api={api}
          onChoose={(creator) => change({ creator })}
        />
        <BreakdownCard
          title="Off-platform rate by content"
          unit="Shares"
          answer={contents}
          dimension="content"
          bar="denominator"
          api={api}
          onChoose={(content) => change({ content })}
        />
      </div>
    </>
  );
}

function RateTile(props: {
  name: string;
  metric: string;
  catalogue: Catalogue;
  now: Answer<MetricAnswer>;
  before: Answer<MetricAnswer>;
}) {
  const definition = props.catalogue.metrics.find((metric) => metric.name === props.metric)?.definition ?? '';
  return (
    <Tile name={props.name} title={definition}>
      <Ready answer={props.now}>
        {(answer) => (
          <RateValue
            value={answer.total}
            previous={previousTotal(props.before)}
            immatureNote={answer.total.mature ? undefined : 'not final yet'}
          />
        )}
      </Ready>
    </Tile>
  );
}

/** Half a period is not compared with a whole one: most days before must have something to compare with. */
const comparableDaysMin = 0.8;
function previousTotal(before: Answer<MetricAnswer>): MetricRow | undefined {
  if (before.state !== 'ready') return undefined;
  const { rows, total } = before.data;
  return rows.length >= comparableDaysMin * daysOf(before.data).length ? total : undefined;
}

/** Every day of the period, also those without a row: a gap in the data must not look like a shorter period. */
function daysOf(answer: MetricAnswer): string[] {
  const days: string[] = [];
  for (let day = answer.from; day < answer.to; day = shiftDay(day, 1)) days.push(day);
  return days;
}
function byDay(answer: MetricAnswer): Map<string, MetricRow> {
  return new Map(answer.rows.map((row) => [row.day ?? '', row]));
}
function firstImmature(answer: MetricAnswer): string | undefined {
  return answer.rows
    .filter((row) => !row.mature)
    .map((row) => row.day ?? '')
    .sort()[0];
}

function SharesByDay(props: { answer: MetricAnswer }) {
  const days = daysOf(props.answer);
  const rows = byDay(props.answer);
  const off = days.map((day) => rows.get(day)?.numerator ?? 0);
  const inApp = days.map((day, index) => (rows.get(day)?.denominator ?? 0) - (off[index] ?? 0));
  if (rows.size === 0) return <Nothing />;
  return (
    <TimeChart
      label={`Shares by day from ${props.answer.from}: in the app and off the platform, stacked`}
      days={days}
      stacked
      format={count}
      immatureFrom={firstImmature(props.answer)}
      series={[
        { name: 'in the app', colour: '--in-app', values: inApp },
        { name: 'off the platform', colour: '--off-platform', values: off },
      ]}
    />
  );
}

function BackByDay(props: { clicks: MetricAnswer; talks: MetricAnswer }) {
  const days = daysOf(props.clicks);
  const clicks = byDay(props.clicks);
  const talks = byDay(props.talks);
  if (clicks.size === 0 && talks.size === 0) return <Nothing />;
  return (
    <TimeChart
      label="Click-back rate and talk-back rate by day"
      days={days}
      format={percent}
      immatureFrom={firstImmature(props.clicks)}
      series={[
        {
          name: 'click-back rate, 7 d',
          colour: '--off-platform',
          values: days.map((day) => clicks.get(day)?.rate ?? null),
        },
        { name: 'talk-back rate, 24 h', colour: '--in-app', values: days.map((day) => talks.get(day)?.rate ?? null) },
      ]}
    />
  );
}

function BreakdownCard(props: {
  title: string;
  unit: string;
  answer: Answer<MetricAnswer>;
  dimension: 'channel' | 'creator' | 'content';
  bar: 'rate' | 'denominator';
  api: Api;
  onChoose: (id: string) => void;
}) {
  const { answer, dimension } = props;
  const all = answer.state === 'ready' ? answer.data.rows : [];
  return (
    <Card title={props.title} table={ratedTable(dimension, all)}>
      <Ready answer={answer} tall>
        {(data) => {
          const size = (row: MetricRow) => (props.bar === 'rate' ? (row.rate ?? 0) : row.denominator);
          const sorted = [...data.rows].sort((a, b) => size(b) - size(a) || b.denominator - a.denominator);
          const most = Math.max(...sorted.map(size), 1e-9);
          const rows = sorted.slice(0, rowsMax).map((row): BreakdownRow => {
            const id = row[dimension] ?? '';
            return {
              id,
              name: label(id) || '(none)',
              share: size(row) / most,
              figures: ratedFigures(row),
            };
          });
          return (
            <>
              <Breakdown columns={ratedColumns(label(dimension), props.unit)} rows={rows} onChoose={props.onChoose} />
              {!data.total.mature && <span class="mark">not final yet</span>}
              {sorted.length > rowsMax && <p class="note">{count(sorted.length - rowsMax)} more in the CSV.</p>}
            </>
          );
        }}
      </Ready>
    </Card>
  );
}

function Nothing() {
  return (
    <p class="empty">
      No shares in this period yet. Send one through POST /v1/shares, or fill a month with npm run demo.
    </p>
  );
}
