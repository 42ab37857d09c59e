// How figures are looked up: each gauge of a scrape is collected by itself, all at the same time, and they share one look.
// A scrape comes every few seconds, so it waits no longer for an engine, and while a look is still unanswered no other one
// is begun: nothing piles up on an engine that stands still.
import { answerWithin } from '../../kernel/answer-within.js';

/** Milliseconds. */
export const lookMsMax = 2_000;

export class ScrapeLook<Found> {
  private looking: Promise<Found | undefined> | undefined;

  constructor(private readonly look: () => Promise<Found>) {}

  /** Undefined when an engine is away or slow: the other figures are told all the same. */
  async take(): Promise<Found | undefined> {
    this.looking ??= this.look()
      .catch(() => undefined)
      .finally(() => {
        this.looking = undefined;
      });
    return await answerWithin(this.looking, lookMsMax).catch(() => undefined);
  }
}
