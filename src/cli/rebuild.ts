// `homing rebuild`: makes a new build of read models beside the one that is read, and waits until it has taken over; exit
// code 1 when it was given up. It can be given up by hand (--abort, or Ctrl-C while it waits), or taken back (--rollback);
// given up, a rollback leaves what is read and what was kept as they were.
import { Command } from 'commander';
import type { Operations } from '../service/operations/operations.js';
import { type AskedBuild, untilRead } from './operations/until-caught-up.js';
import { takesTarget, withOperations } from './operations/with-operations.js';

interface Options {
  readonly all?: boolean;
  readonly abort?: boolean;
  readonly rollback?: boolean;
}

export function rebuildCommand(): Command {
  return takesTarget(new Command('rebuild'))
    .description('build read models again from the log, beside those that are read, and switch when they are whole')
    .argument('[names...]', 'read models')
    .option('--all', 'every read model')
    .option('--abort', 'give up what is being built')
    .option('--rollback', 'go back to the build that was read before')
    .action((names: string[], options: Options, self: Command) =>
      withOperations(self, (operations) => rebuild(operations, names, options), { projecting: true }),
    );
}

async function rebuild(operations: Operations, names: readonly string[], options: Options): Promise<void> {
  const known = await operations.parts();
  const wanted = options.all ? known : names;
  const unknown = wanted.filter((name) => !known.includes(name));
  if (wanted.length === 0 || unknown.length > 0) {
    const what = unknown.length > 0 ? `there is no ${unknown.join(', ')}` : 'name read models, or say --all';
    throw new Error(`${what}; there are ${known.join(', ')}`);
  }
  if (options.abort) {
    for (const name of wanted) await operations.abort(name);
    process.stdout.write(`given up: ${wanted.join(', ')}\n`);
    return;
  }
  const giveUp = () => {
    process.stderr.write(`\n${options.rollback ? 'not going back' : 'giving up the new builds'}\n`);
    void Promise.allSettled(wanted.map((name) => operations.abort(name))).then(() => process.exit(130));
  };
  process.once('SIGINT', giveUp);
  const asked: AskedBuild[] = [];
  for (const name of wanted) {
    const builds = await operations[options.rollback ? 'rollback' : 'rebuild'](name);
    asked.push(...builds.map((build, shard) => ({ projection: name, shard, build })));
  }
  await untilRead(operations, asked);
  process.off('SIGINT', giveUp);
  process.stdout.write(`read from now on: ${wanted.join(', ')}\n`);
}
