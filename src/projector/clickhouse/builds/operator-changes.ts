// What an operator asks of the builds: all of it is a change of their stream in the log, and whoever fills the facts acts on it.
import type { EventLog } from '../../../event-log/event-log.js';
import { CannotGoBack } from '../../operation/operations.js';
import { givenUp, readBuilds, untilChanged } from './fact-builds.js';

/** Gives up what is being made, or gone back to. What is read stays, and what was kept is kept. */
export async function giveUpBuilds(log: EventLog, sink: string): Promise<void> {
  for (const { build } of (await readBuilds(log, sink)).builds.filter(({ state }) => state === 'building')) {
    await untilChanged(log, sink, ({ builds }) => {
      const now = builds.find((one) => one.build === build);
      return now?.state === 'building' ? givenUp(now) : undefined;
    });
  }
}

/**
 * Goes back to the build that was read before: it catches up, and then takes over.
 * @param fingerprint of the code that is to go back @throws CannotGoBack
 */
export async function goBack(log: EventLog, sink: string, fingerprint: string): Promise<number> {
  let back = 0;
  await untilChanged(log, sink, ({ builds }) => {
    const kept = builds.filter(({ state }) => state === 'kept').at(-1);
    if (!kept) throw new CannotGoBack(`${sink}: no earlier build was kept`);
    if (kept.fingerprint !== fingerprint) {
      throw new CannotGoBack(
        `${sink}: build ${kept.build} was made by other code or for another time zone; run that to read it`,
      );
    }
    back = kept.build;
    return { type: 'BuildStarted', build: kept.build, fingerprint: kept.fingerprint };
  });
  return back;
}
