// `homing lag`: how far each read model is behind the log, in events (counted, up to 10,000) and seconds.
import { Command } from 'commander';
import type { ProjectionRow } from '../projector/operation/operations.js';
import { takesTarget, withOperations } from './operations/with-operations.js';

export function lagCommand(): Command {
  return takesTarget(new Command('lag'))
    .description('how far each read model is behind the log, in events and seconds')
    .action((_: object, self: Command) =>
      withOperations(self, async (operations) => {
        process.stdout.write(lagTable(await operations.status()));
      }),
    );
}

const headings = ['projection', 'shard', 'build', 'state', 'events', 'seconds', 'parked'];

export function lagTable(rows: readonly ProjectionRow[]): string {
  const lines = rows.map(({ projection, shard, build, state, lagEvents, lagCapped, lagSeconds, deadLetters }) => [
    projection,
    String(shard),
    String(build),
    state,
    `${lagCapped ? '>' : ''}${lagEvents.toLocaleString('en')}`,
    lagSeconds.toFixed(1),
    String(deadLetters),
  ]);
  const table = [headings, ...lines];
  const widths = headings.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0)));
  return table.map((line) => `${line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}\n`).join('');
}
