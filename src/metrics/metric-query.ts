// The query string of a metric: checked against the metric's own spec, every mistake named at once.
import { z } from 'zod';
import { Problem, type ProblemPart } from '../http/problem/problem.js';
import { daysBetween, isDate } from './calendar.js';
import type { MetricSpec, WindowName } from './metric.js';

/** Longest range of dates that one question may span. */
export const rangeDaysMax = 800;
export const rowsMax = 10_000;
export const rowsDefault = 1_000;

const Id = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.~-]{0,63}$/, 'not an id');
const Day = z.string().refine(isDate, 'a date, such as 2026-01-31');

/** What every metric takes; unknown names are refused, a misspelt filter must not look like an answer. */
export const MetricQuery = z
  .strictObject({
    from: Day.meta({ description: 'First day, in the deployment’s time zone.' }),
    to: Day.meta({ description: 'The day after the last one.' }),
    by: z.string().max(100).optional().meta({ description: 'Dimensions to split by, comma-separated.' }),
    window: z.string().max(8).optional().meta({ description: 'One of the metric’s windows.' }),
    channel: z
      .string()
      .regex(/^[a-z_]{1,40}$/, 'not a channel')
      .optional(),
    creatorId: Id.optional(),
    contentId: Id.optional(),
    limit: z.coerce.number().pipe(z.int().min(1).max(rowsMax)).default(rowsDefault),
    minPosition: z.string().max(128).optional(),
  })
  .meta({ id: 'MetricQuery' });
export type MetricQuery = z.infer<typeof MetricQuery>;

export interface CheckedQuery<Dimension extends string> {
  readonly by: readonly Dimension[];
  readonly window: WindowName | undefined;
}

/** @throws Problem `invalid-query` that names each thing the metric does not offer */
export function checkQuery<Dimension extends string>(
  spec: Omit<MetricSpec, 'dimensions'> & { readonly dimensions: readonly Dimension[] },
  query: Pick<MetricQuery, 'from' | 'to' | 'by' | 'window'>,
): CheckedQuery<Dimension> {
  const errors: ProblemPart[] = [];
  const days = daysBetween(query.from, query.to);
  if (days <= 0) errors.push({ pointer: '/to', detail: 'must be after from' });
  if (days > rangeDaysMax) errors.push({ pointer: '/to', detail: `at most ${rangeDaysMax} days after from` });
  const by = (query.by ?? '').split(',').filter((name) => name !== '');
  for (const name of by) {
    if (!(spec.dimensions as readonly string[]).includes(name)) {
      errors.push({ pointer: '/by', detail: `${name}: ${spec.name} goes by ${spec.dimensions.join(', ')}` });
    }
  }
  if (new Set(by).size !== by.length) errors.push({ pointer: '/by', detail: 'names a dimension twice' });
  if (by.includes('day') && by.includes('week')) errors.push({ pointer: '/by', detail: 'by day or by week, not both' });
  if (query.window !== undefined && !(spec.windows as readonly string[]).includes(query.window)) {
    const offered = spec.windows.length > 0 ? `has the windows ${spec.windows.join(', ')}` : 'has no window';
    errors.push({ pointer: '/window', detail: `${spec.name} ${offered}` });
  }
  const [first] = errors;
  if (first) throw new Problem('invalid-query', `${first.pointer}: ${first.detail}`, { errors });
  return { by: by as Dimension[], window: query.window as WindowName | undefined };
}
