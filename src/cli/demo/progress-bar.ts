// How far a long job is: a bar on a terminal, a line every tenth elsewhere.
import type { WriteStream } from 'node:tty';

const width = 32;
const redrawMs = 100;

export class ProgressBar {
  #startedAt = performance.now();
  #drawnAt = 0;
  #tenth = -1;
  #first: number | undefined;

  constructor(
    private readonly out: WriteStream,
    private readonly label: string,
  ) {}

  show(done: number, total: number): void {
    const now = performance.now();
    this.#first ??= done;
    if (this.out.isTTY) {
      if (now - this.#drawnAt < redrawMs && done < total) return;
      this.#drawnAt = now;
      const filled = total === 0 ? width : Math.floor((width * done) / total);
      const rate = Math.round((done - this.#first) / Math.max(0.001, (now - this.#startedAt) / 1_000));
      const bar = '█'.repeat(filled) + '░'.repeat(width - filled);
      this.out.write(
        `\r  ${this.label} ${bar} ${Math.floor((100 * done) / Math.max(1, total))} % · ${done} of ${total} · ${rate}/s `,
      );
      return;
    }
    const tenth = Math.floor((10 * done) / Math.max(1, total));
    if (tenth === this.#tenth) return;
    this.#tenth = tenth;
    this.out.write(`  ${this.label}: ${done} of ${total} (${Math.round((now - this.#startedAt) / 1_000)} s)\n`);
  }

  finish(): void {
    if (this.out.isTTY) this.out.write('\n');
  }
}
