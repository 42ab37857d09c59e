// `homing dead-letters list|show|retry|drop`: events that a projection could not fold, and those that wait for them.
import { Command } from 'commander';
import type { RetryOutcome } from '../projector/operation/dead-letters.js';
import { takesTarget, withOperations } from './operations/with-operations.js';

export function deadLettersCommand(): Command {
  const command = new Command('dead-letters').description('events that a projection could not fold');
  command
    .command('list [projection]')
    .description('what is parked, in the order of the log')
    .action((projection: string | undefined, _: object, self: Command) =>
      withOperations(self, async (operations) => {
        const letters = await operations.deadLetters(projection);
        for (const { projection: name, position, type, stream, revision, error } of letters) {
          process.stdout.write(`${name}\t${position}\t${type}\t${stream}@${revision}\t${error ?? 'waits'}\n`);
        }
        if (letters.length === 0) process.stdout.write('nothing is parked\n');
      }),
    );
  command
    .command('show <projection> <position>')
    .description('one parked event, without what people wrote')
    .action((projection: string, position: string, _: object, self: Command) =>
      withOperations(self, async (operations) => {
        const { letter, event } = await operations.deadLetter(projection, position);
        const shown = typeof event === 'string' ? event : { ...event, position, data: undefined };
        process.stdout.write(`${JSON.stringify({ letter, event: shown }, null, 2)}\n`);
      }),
    );
  command
    .command('retry <projection> [position]')
    .description('fold one again with what depends on it, or all of the projection')
    .action((projection: string, position: string | undefined, _: object, self: Command) =>
      withOperations(self, async (operations) => told(await operations.retry(projection, position))),
    );
  command
    .command('drop <projection> <position>')
    .description('leave it out of the projection for good, in later builds too')
    .requiredOption('--reason <text>', 'kept beside it')
    .action((projection: string, position: string, { reason }: { reason: string }, self: Command) =>
      withOperations(self, async (operations) => told(await operations.drop(projection, position, reason))),
    );
  for (const one of command.commands) takesTarget(one);
  return command;
}

function told({ folded, stillParked, rebuilding }: RetryOutcome): void {
  process.stdout.write(`folded ${folded}, still parked ${stillParked}\n`);
  if (rebuilding.length > 0) process.stdout.write('the order of events matters to it: it is being built again\n');
}
