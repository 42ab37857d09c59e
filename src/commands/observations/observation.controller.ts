// POST /v1/events: observations in the CloudEvents batch format.
import { Body, Controller, Inject, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Scopes } from '../../http/access/scopes.js';
import { Problem } from '../../http/problem/problem.js';
import { By, type Caller } from '../../http/request/caller.js';
import { Writes, type Written } from '../../http/request/written.js';
import { CloudEvent } from './cloud-event.js';
import { ObservationBatch } from './observation.handler.js';

export const BATCH_ITEMS_MAX = Symbol('BATCH_ITEMS_MAX');

/** Only that it is a list is judged as a whole; each item is judged alone. */
const Batch = z.array(z.unknown());
/** Described by hand: as the items are validated one by one, no parameter has their schema. */
const { $schema: _, ...itemSchema } = z.toJSONSchema(CloudEvent) as Record<string, unknown>;
const Verdicts = {
  items: z.array(
    z.object({
      id: z.string().nullable(),
      status: z.enum(['accepted', 'duplicate', 'rejected']),
      code: z.string().optional(),
      detail: z.string().optional(),
    }),
  ),
  accepted: z.int(),
  duplicates: z.int(),
  rejected: z.int(),
};

@ApiTags('observations')
@Controller('v1/events')
export class ObservationController {
  constructor(
    private readonly commands: CommandBus,
    @Inject(BATCH_ITEMS_MAX) private readonly itemsMax: number,
  ) {}

  /** Told apart by (source, id): sending a batch again is safe. A bad item is rejected alone, with its code. */
  @Post()
  @RouteConfig({ itemsAlone: true })
  @Scopes('app')
  @ApiBody({ schema: { type: 'array', items: itemSchema } })
  @Writes(200, Verdicts)
  record(@By() caller: Caller, @Body({ schema: Batch }) items: unknown[]): Promise<Written> {
    if (items.length > this.itemsMax) {
      const extra = { limit: this.itemsMax, current: items.length };
      throw new Problem('batch-too-large', `at most ${this.itemsMax} items in one batch`, { extra });
    }
    return this.commands.execute(new ObservationBatch(caller, items));
  }
}
