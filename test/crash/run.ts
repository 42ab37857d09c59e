// npm run test:crash -- <suite> [--rounds N] [--seed N]: kills the thing at random moments and checks what is left.
// The last line says how many rounds and what was checked; any failure ends with status 1 and the seed.
import { parseArgs } from 'node:util';
import type { CrashSuite } from './suite.js';

const suites: Readonly<Record<string, () => Promise<CrashSuite>>> = {
  log: async () => (await import('./log.js')).crashLog,
  projector: async () => (await import('./projector.js')).crashProjector,
};
const roundsDefault = 20;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string' }, seed: { type: 'string' } },
});
const [name = ''] = positionals;
const load = Object.hasOwn(suites, name) ? suites[name] : undefined;
const rounds = Number(values.rounds ?? roundsDefault);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!load || !Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed)) {
  console.error(`usage: npm run test:crash -- <${Object.keys(suites).join('|')}> [--rounds N] [--seed N]`);
  process.exit(2);
}

console.log(`crash ${name}: ${rounds} rounds, seed ${seed}`);
const began = performance.now();
try {
  const suite = await load();
  const checked = await suite({ rounds, seed, report: (line) => console.log(line) });
  const counts = Object.entries(checked).map(([what, count]) => `${count} ${what}`);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(
    `crash ${name}: ${rounds} rounds, ${counts.join(', ')} checked in ${seconds} s: all as it must be (seed ${seed})`,
  );
} catch (error) {
  console.error(error);
  console.error(`crash ${name}: failed (seed ${seed})`);
  process.exitCode = 1;
}
