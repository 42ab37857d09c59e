// GET /v1/metrics: the list of metrics, and GET /v1/metrics/:name: the figures of sharing, for analysts.
import { Controller, Get, Headers, Param, Query as QueryParam } from '@nestjs/common';
import { type IQueryHandler, Query, QueryBus, QueryHandler } from '@nestjs/cqrs';
import { ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Scopes } from '../../http/access/scopes.js';
import { Problem } from '../../http/problem/problem.js';
import { toIso } from '../../kernel/clock.js';
import { type ActivityAnswer, answerActivity } from '../activity/answer.js';
import { type ActivitySpec, activitySpecs } from '../activity/specs.js';
import { brandSpecs } from '../brand/specs.js';
import type { MetricSpec } from '../metric.js';
import { available, MetricAccess } from '../metric-access.js';
import { checkQuery, MetricQuery } from '../metric-query.js';
import { answerSharing, type SharingAnswer } from './answer.js';
import { sharingSpecs } from './specs.js';

export interface MetricDefinition {
  readonly name: string;
  readonly number?: number;
  readonly title: string;
  readonly definition: string;
  readonly numerator: string;
  readonly denominator: string;
  readonly anchor: string;
  readonly windows: readonly string[];
  readonly dimensions: readonly string[];
  /** Where to ask: `/v1/metrics/…` or `/v1/brands/{brandId}/metrics/…`. */
  readonly path: string;
}
export interface MetricList {
  readonly timeZone: string;
  readonly completeUpTo: string;
  readonly metrics: readonly MetricDefinition[];
}

export function definitionOf(spec: MetricSpec, path: string): MetricDefinition {
  const { name, number, title, numerator, denominator, anchor, windows, dimensions } = spec;
  return {
    name,
    ...(number === undefined ? {} : { number }),
    title,
    definition: `${numerator} / ${denominator}`,
    numerator,
    denominator,
    anchor,
    windows,
    dimensions,
    path: `${path}/${name}`,
  };
}

export class ListMetrics extends Query<MetricList> {}

@QueryHandler(ListMetrics)
export class ListMetricsHandler implements IQueryHandler<ListMetrics> {
  constructor(private readonly access: MetricAccess) {}

  async execute(): Promise<MetricList> {
    const { state } = await this.access.fresh(undefined);
    return {
      timeZone: this.access.timeZone,
      completeUpTo: toIso(state.completeUpToMs),
      metrics: [
        ...[...sharingSpecs, ...activitySpecs].map((spec) => definitionOf(spec, '/v1/metrics')),
        ...brandSpecs.map((spec) => definitionOf(spec, '/v1/brands/{brandId}/metrics')),
      ],
    };
  }
}

export type AnalystAnswer = SharingAnswer | ActivityAnswer;

export class AskSharing extends Query<AnalystAnswer> {
  constructor(
    readonly name: string,
    readonly query: MetricQuery,
  ) {
    super();
  }
}

@QueryHandler(AskSharing)
export class AskSharingHandler implements IQueryHandler<AskSharing> {
  constructor(private readonly access: MetricAccess) {}

  /** @throws Problem `not-found`, `invalid-query`, `bad-position`, `store-unavailable` */
  async execute({ name, query }: AskSharing): Promise<AnalystAnswer> {
    const activity = activitySpecs.find((one) => one.name === name);
    if (activity) return await this.activity(activity, query);
    const spec = sharingSpecs.find((one) => one.name === name);
    if (!spec) throw new Problem('not-found', `there is no metric ${name.slice(0, 64)}; GET /v1/metrics lists them`);
    const { by, window } = checkQuery({ ...spec, dimensions: sharingDimensionsOf(spec) }, query);
    const { state, stale } = await this.access.fresh(query.minPosition);
    const question = {
      spec,
      range: { from: query.from, to: query.to },
      timeZone: this.access.timeZone,
      by,
      window,
      filters: {
        ...(query.channel ? { channel: query.channel } : {}),
        ...(query.contentId ? { content: query.contentId } : {}),
        ...(query.creatorId ? { creator: query.creatorId } : {}),
      },
      limit: query.limit,
    };
    return await available(answerSharing(this.access.reader, question, state, stale));
  }

  private async activity(spec: ActivitySpec, query: MetricQuery): Promise<ActivityAnswer> {
    const { by } = checkQuery({ ...spec, dimensions: ['day'] as const }, query);
    for (const filter of ['channel', 'creatorId', 'contentId'] as const) {
      if (query[filter] !== undefined) throw new Problem('invalid-query', `/${filter}: ${spec.name} has no filters`);
    }
    const { state, stale } = await this.access.fresh(query.minPosition);
    const range = { from: query.from, to: query.to };
    const question = { spec, range, timeZone: this.access.timeZone, byDay: by.includes('day') };
    return await available(answerActivity(this.access.reader, question, state, stale));
  }
}

function sharingDimensionsOf(spec: MetricSpec): readonly ('day' | 'channel' | 'content' | 'creator')[] {
  return spec.dimensions as readonly ('day' | 'channel' | 'content' | 'creator')[];
}

@ApiTags('metrics')
@Controller('v1/metrics')
export class SharingMetricsController {
  constructor(private readonly queries: QueryBus) {}

  @Get()
  @Scopes('analyst', 'admin', 'any-brand')
  @ApiOperation({ summary: 'Every metric with its definition, and how far the data are complete.' })
  list(): Promise<MetricList> {
    return this.queries.execute(new ListMetrics());
  }

  @Get(':name')
  @Scopes('analyst', 'admin')
  @ApiOperation({ summary: 'The figures of one sharing or activity metric over a range of days.' })
  @ApiHeader({ name: 'Homing-Position', required: false, description: 'As minPosition.' })
  ask(
    @Param('name') name: string,
    @QueryParam({ schema: MetricQuery }) query: MetricQuery,
    @Headers('homing-position') position: string | undefined,
  ): Promise<AnalystAnswer> {
    const minPosition = query.minPosition ?? position;
    return this.queries.execute(new AskSharing(name, { ...query, minPosition }));
  }
}
