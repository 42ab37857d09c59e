// How far a sending has come, kept in a file so that a second run need not begin at zero. Losing it loses nothing: every
// request is known to the service by its key, and a repeated one gets the first one's answer.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';

const Progress = z.strictObject({
  /** Everything before this place of the agenda is done. */
  low: z.int().min(0),
  /** Results of finished requests that unfinished ones need. */
  results: z.record(z.string(), z.string()),
});
export type Progress = z.infer<typeof Progress>;

export const nothingSent: Progress = { low: 0, results: {} };

export class ProgressFile {
  constructor(readonly path: string) {}

  /** What was saved last; nothing when there is no file. */
  async load(): Promise<Progress> {
    const text = await readFile(this.path, 'utf8').catch(() => undefined);
    if (text === undefined) return nothingSent;
    return Progress.parse(JSON.parse(text));
  }

  /** Whole or not at all. */
  async save(progress: Progress): Promise<void> {
    const draft = `${this.path}.new`;
    await writeFile(draft, JSON.stringify(progress));
    await rename(draft, this.path);
  }
}
