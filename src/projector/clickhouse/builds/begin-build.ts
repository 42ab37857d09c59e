// A new build of the facts: one that is being made of the same code already, or the next number that neither the log nor
// ClickHouse has used.
import type { EventLog } from '../../../event-log/event-log.js';
import type { PublishedBuilds } from '../tables/fact-store.js';
import { changeBuild, readBuilds } from './fact-builds.js';

/** Tries against whoever changes the builds at the same time. */
const triesMax = 50;

export interface BuildWish {
  readonly log: EventLog;
  readonly published: Pick<PublishedBuilds, 'highest'>;
  readonly sink: string;
  /** Of the code that it is made with. */
  readonly fingerprint: string;
}

/** @throws Error when the builds kept changing */
export async function beginBuild({ log, published, sink, fingerprint }: BuildWish): Promise<number> {
  for (let attempt = 0; attempt < triesMax; attempt += 1) {
    const seen = await readBuilds(log, sink);
    const begun = seen.builds.find((one) => one.state === 'building' && one.fingerprint === fingerprint);
    if (begun) return begun.build;
    const used = [await published.highest(), ...seen.builds.map(({ build }) => build)];
    const build = Math.max(...used) + 1;
    if (await changeBuild(log, sink, seen, { type: 'BuildStarted', build, fingerprint })) return build;
  }
  throw new Error('the builds of the facts kept changing; try again');
}
