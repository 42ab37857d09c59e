// Which processes share the projector's work, so that each takes its part and no more.
import type { Timers } from '../timers.js';

/** A process that has not been heard of for so long is gone, milliseconds. */
export const silentMsMax = 6_000;
const hearEveryMs = 1_000;

/** The processes that have been heard of in the last `silentMsMax`. */
export interface Attendance {
  /** Lets the others hear of this one. How many there are, itself included. */
  hear(): Promise<number>;
  leave(): Promise<void>;
}

export class Company {
  private counted = 1;
  private heardMs = Number.NEGATIVE_INFINITY;

  /** @param all pieces of work; processes that cut it into another number share nothing with this one */
  constructor(
    private readonly attendance: Attendance,
    private readonly all: number,
    private readonly timers: Timers,
  ) {}

  /** How many pieces of the work this process should hold at most. */
  async share(): Promise<number> {
    if (this.timers.now() - this.heardMs > hearEveryMs) {
      this.heardMs = this.timers.now();
      this.counted = Math.max(1, await this.attendance.hear());
    }
    return Math.ceil(this.all / this.counted);
  }

  async leave(): Promise<void> {
    await this.attendance.leave();
  }
}
