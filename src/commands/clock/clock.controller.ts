// POST /v1/clock: an importer says what time it is, with nothing else to tell.
import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Scopes } from '../../http/access/scopes.js';
import { Problem } from '../../http/problem/problem.js';
import { ImportClock } from '../../http/request/service-clock.js';
import { type Clock, toIso, toMs } from '../../kernel/clock.js';
import { ClockRecord } from './clock-record.js';

export const CLOCK = Symbol('CLOCK');

const NewTime = z.strictObject({ now: z.iso.datetime() }).meta({ id: 'NewTime' });

@ApiTags('import')
@Controller('v1/clock')
export class ClockController {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly record: ClockRecord,
  ) {}

  /** Never backwards: an earlier time leaves the clock where it is. The answer says where that is. */
  @Post()
  @HttpCode(200)
  @Scopes('import')
  @ApiResponse({ status: 200, standardSchema: NewTime })
  async set(@Body({ schema: NewTime }) { now }: z.infer<typeof NewTime>): Promise<{ now: string }> {
    if (!(this.clock instanceof ImportClock)) {
      throw new Problem('import-clock-off', 'this service runs by the system clock (HOMING_CLOCK=system)');
    }
    this.clock.advance(toMs(now));
    await this.record.flush();
    return { now: toIso(this.clock.now()) };
  }
}
