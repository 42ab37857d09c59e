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

/** Whoever acts on what falls due. */
export interface TimerHand {
  /** Everything due by then has been acted on; gives back how many timers that were. */
  settle(nowMs: number): Promise<number>;
}
export const TIMER_HAND = Symbol('TIMER_HAND');

const NewTime = z
  .strictObject({ now: z.iso.datetime(), waitForTimers: z.boolean().default(false) })
  .meta({ id: 'NewTime' });
const Time = z.object({ now: z.iso.datetime(), timers: z.int().optional() }).meta({ id: 'Time' });

@ApiTags('import')
@Controller('v1/clock')
export class ClockController {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly record: ClockRecord,
    @Inject(TIMER_HAND) private readonly hand: TimerHand,
  ) {}

  /**
   * Never backwards: an earlier time leaves the clock where it is. The answer says where that is and, with
   * `waitForTimers`, comes when everything that fell due until then is recorded: `timers` says how many that were.
   */
  @Post()
  @HttpCode(200)
  @Scopes('import')
  @ApiResponse({ status: 200, standardSchema: Time })
  async set(@Body({ schema: NewTime }) { now, waitForTimers }: z.infer<typeof NewTime>): Promise<z.infer<typeof Time>> {
    if (!(this.clock instanceof ImportClock)) {
      throw new Problem('import-clock-off', 'this service runs by the system clock (HOMING_CLOCK=system)');
    }
    this.clock.advance(toMs(now));
    await this.record.flush();
    const nowMs = this.clock.now();
    if (!waitForTimers) return { now: toIso(nowMs) };
    return { now: toIso(nowMs), timers: await this.hand.settle(nowMs) };
  }
}
