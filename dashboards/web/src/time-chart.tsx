// Days along x. uPlot draws on a canvas, which says nothing to a screen reader and does not follow CSS: so a spoken
// label, the same numbers as a table, and a redraw when the colour scheme changes.
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Series {
  readonly name: string;
  /** A CSS custom property. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
}
interface Props {
  readonly label: string;
  /** ISO dates. */
  readonly days: readonly string[];
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
  /** From this day on the figures may still change: drawn hatched. */
  readonly immatureFrom?: string | undefined;
  readonly stacked?: boolean;
}

export function TimeChart(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const scheme = useColourScheme();
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const plot = new uPlot(options(props, element), data(props), element);
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: chartHeight }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [props, scheme]);
  return (
    <div>
      <div class="legend" aria-hidden="true">
        {props.series.map((series) => (
          <span key={series.name}>
            <i style={{ background: `var(${series.colour})` }} />
            {series.name}
          </span>
        ))}
        {props.immatureFrom && <span class="immature">&nbsp;not final yet&nbsp;</span>}
      </div>
      <div class="chart" role="img" aria-label={props.label} ref={box} />
      <details>
        <summary>The numbers</summary>
        <table>
          <thead>
            <tr>
              <th>Day</th>
              {props.series.map((series) => (
                <th class="number" key={series.name}>
                  {series.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {props.days.map((day, index) => (
              <tr key={day} class={props.immatureFrom && day >= props.immatureFrom ? 'immature' : ''}>
                <td>{day}</td>
                {props.series.map((series) => {
                  const value = series.values[index];
                  return (
                    <td class="number" key={series.name}>
                      {value === null || value === undefined ? '–' : props.format(value)}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </div>
  );
}

const chartHeight = 230;

function data(props: Props): uPlot.AlignedData {
  const x = props.days.map((day) => Date.parse(`${day}T00:00:00Z`) / 1000);
  if (!props.stacked) return [x, ...props.series.map((series) => [...series.values])];
  // Stacked: each line is drawn at the sum of itself and those below, the highest first.
  const sums: (number | null)[][] = [];
  for (const series of props.series) {
    const below = sums.at(-1);
    sums.push(series.values.map((value, index) => (value ?? 0) + (below?.[index] ?? 0)));
  }
  return [x, ...sums.reverse()];
}

function options(props: Props, element: HTMLElement): uPlot.Options {
  const css = getComputedStyle(element);
  const colour = (name: string) => resolve(element, `var(${name})`);
  const axis: uPlot.Axis = {
    stroke: colour('--quiet'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: `12px ${css.fontFamily}`,
  };
  const drawn = props.stacked ? [...props.series].reverse() : props.series;
  return {
    width: element.clientWidth || 600,
    height: chartHeight,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    legend: { show: false },
    cursor: { y: false },
    scales: { y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.08 : 1] } },
    axes: [
      { ...axis, size: 30, values: [[86_400, '{D} {MMM}', null, null, null, null, null, null, 1]] },
      { ...axis, size: 58, values: (_plot, values) => values.map(props.format) },
    ],
    series: [
      {},
      ...drawn.map((series) => ({
        label: series.name,
        stroke: colour(series.colour),
        width: 2,
        points: { show: props.days.length < 3 },
        ...(props.stacked ? { fill: `color-mix(in srgb, ${colour(series.colour)} 55%, transparent)` } : {}),
      })),
    ],
    hooks: { drawClear: [(plot) => hatch(plot, props, colour('--warn'))] },
  };
}

/** Hatches the days whose figures may still change. */
function hatch(plot: uPlot, props: Props, colour: string): void {
  if (!props.immatureFrom) return;
  const from = Math.max(plot.valToPos(Date.parse(`${props.immatureFrom}T00:00:00Z`) / 1000, 'x', true), plot.bbox.left);
  const right = plot.bbox.left + plot.bbox.width;
  if (from >= right) return;
  const { ctx } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(from, plot.bbox.top, right - from, plot.bbox.height);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.globalAlpha = 0.3;
  for (let x = from - plot.bbox.height; x < right; x += 12) {
    ctx.beginPath();
    ctx.moveTo(x, plot.bbox.top + plot.bbox.height);
    ctx.lineTo(x + plot.bbox.height, plot.bbox.top);
    ctx.stroke();
  }
  ctx.restore();
}

/** A canvas does not know custom properties or light-dark(): the browser works the colour out on a real element. */
function resolve(parent: HTMLElement, value: string): string {
  const probe = document.createElement('span');
  probe.style.color = value;
  parent.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

function useColourScheme(): boolean {
  const query = '(prefers-color-scheme: dark)';
  const [dark, setDark] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const changed = () => setDark(list.matches);
    list.addEventListener('change', changed);
    return () => list.removeEventListener('change', changed);
  }, []);
  return dark;
}
