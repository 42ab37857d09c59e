// How long to wait before a child that died is started again: longer each time, and short again once it has lived a while.

const msMin = 100;
const msMax = 10_000;
/** A child that lived this long was sound. */
const soundMs = 60_000;

export class RestartPause {
  private ms = msMin;
  private last = Number.NEGATIVE_INFINITY;

  /** The pause of this attempt. `nowMs` is any steady clock's. */
  next(nowMs: number = performance.now()): number {
    this.ms = nowMs - this.last > soundMs + this.ms ? msMin : Math.min(this.ms * 2, msMax);
    this.last = nowMs;
    return this.ms;
  }
}
