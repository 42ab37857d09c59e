// GET /v1/brands/:brandId/metrics/:name: what came of talk about a brand's products, for that brand's own key, through
// the privacy gate.
import { Controller, Get, Headers, Param, Query as QueryParam } from '@nestjs/common';
import { type IQueryHandler, Query, QueryBus, QueryHandler } from '@nestjs/cqrs';
import { ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Scopes } from '../../http/access/scopes.js';
import { Problem } from '../../http/problem/problem.js';
import { available, MetricAccess } from '../metric-access.js';
import { checkQuery, MetricQuery } from '../metric-query.js';
import { answerBrand, type BrandAnswer } from './answer.js';
import { brandSpecs } from './specs.js';

/** No filters: what may be asked is a fixed grid, so that answers cannot be played off against each other. */
const BrandMetricQuery = z
  .strictObject({
    from: MetricQuery.shape.from,
    to: MetricQuery.shape.to,
    by: MetricQuery.shape.by,
    minPosition: MetricQuery.shape.minPosition,
  })
  .meta({ id: 'BrandMetricQuery' });
type BrandMetricQuery = z.infer<typeof BrandMetricQuery>;

const BrandId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.~-]{0,63}$/, 'not an id');

export class AskBrand extends Query<BrandAnswer> {
  constructor(
    readonly brandId: string,
    readonly name: string,
    readonly query: BrandMetricQuery,
  ) {
    super();
  }
}

@QueryHandler(AskBrand)
export class AskBrandHandler implements IQueryHandler<AskBrand> {
  constructor(private readonly access: MetricAccess) {}

  /** @throws Problem `not-found`, `invalid-query`, `bad-position`, `store-unavailable` */
  async execute({ brandId, name, query }: AskBrand): Promise<BrandAnswer> {
    const spec = brandSpecs.find((one) => one.name === name);
    if (!spec) throw new Problem('not-found', `there is no brand metric ${name.slice(0, 64)}`);
    const { by } = checkQuery(spec, query);
    const { state, stale } = await this.access.fresh(query.minPosition);
    const question = { spec, brandId, range: { from: query.from, to: query.to }, timeZone: this.access.timeZone, by };
    return await available(answerBrand(this.access.reader, question, state, stale));
  }
}

@ApiTags('metrics')
@Controller('v1/brands/:brandId/metrics')
export class BrandMetricsController {
  constructor(private readonly queries: QueryBus) {}

  @Get(':name')
  @Scopes('brand', 'admin')
  @ApiOperation({
    summary: 'The figures of one of a brand’s metrics over a range of days; small cells are suppressed.',
  })
  @ApiHeader({ name: 'Homing-Position', required: false, description: 'As minPosition.' })
  ask(
    @Param('brandId', { schema: BrandId }) brandId: string,
    @Param('name') name: string,
    @QueryParam({ schema: BrandMetricQuery }) query: BrandMetricQuery,
    @Headers('homing-position') position: string | undefined,
  ): Promise<BrandAnswer> {
    const minPosition = query.minPosition ?? position;
    return this.queries.execute(new AskBrand(brandId, name, { ...query, minPosition }));
  }
}
