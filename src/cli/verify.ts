// `homing verify`: folds the log again and compares with what the read models hold, to the row. Exit code 1 when
// something differs.
import { Command } from 'commander';
import { describeDifference, type VerifyAnswer } from '../service/operations/operations.js';
import { untilCaughtUp } from './operations/until-caught-up.js';
import { takesTarget, withOperations } from './operations/with-operations.js';

const differs = 1;

export function verifyCommand(): Command {
  return takesTarget(new Command('verify'))
    .description('fold the log again and compare with the read models, to the row; exit code 1 on a difference')
    .argument('[names...]', 'read models; all of them when none is named')
    .action((names: string[], _: object, self: Command) =>
      withOperations(
        self,
        async (operations) => {
          await untilCaughtUp(operations);
          let differences = 0;
          for (const name of names.length > 0 ? names : await operations.parts()) {
            for (const report of await operations.verify(name)) {
              process.stdout.write(describeReport(report));
              differences += report.differences;
            }
          }
          if (differences > 0) process.exitCode = differs;
        },
        { projecting: true },
      ),
    );
}

export function describeReport({ part, position, compared, differences, told, parked }: VerifyAnswer): string {
  const verdict = differences === 0 ? 'equals the log' : `${differences.toLocaleString('en')} differences`;
  const more = differences - told.length;
  return [
    `${part}: ${compared.toLocaleString('en')} compared at position ${position}, ${verdict}`,
    ...told.map((difference) => `  ${describeDifference(difference)}`),
    ...(more > 0 ? [`  and ${more.toLocaleString('en')} more`] : []),
    ...parked.map(({ position: at, stream, revision, type, error }) => {
      return `  parked: ${type} ${stream}@${revision} at ${at}${error === undefined ? ' (waits)' : `: ${error}`}`;
    }),
    '',
  ].join('\n');
}
