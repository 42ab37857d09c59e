// npm run test:crash -- <suite> [--rounds N | --seconds N] [--seed N]: kills the thing at random moments, or fails what it
// rests on for a while, and checks what is left. The last line says what was done and checked; any failure ends with
// status 1 and the seed.
import { parseArgs } from 'node:util';
import type { CrashSuite } from './suite.js';

interface Entry {
  readonly load: () => Promise<CrashSuite>;
  readonly measuredIn: 'rounds' | 'seconds';
}
const suites: Readonly<Record<string, Entry>> = {
  log: { load: async () => (await import('./log.js')).crashLog, measuredIn: 'rounds' },
  projector: { load: async () => (await import('./projector.js')).crashProjector, measuredIn: 'rounds' },
  outage: { load: async () => (await import('./outage.js')).crashOutage, measuredIn: 'seconds' },
};
const roundsDefault = 20;
const secondsDefault = 30;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string' }, seconds: { type: 'string' }, seed: { type: 'string' } },
});
const [name = ''] = positionals;
const entry = Object.hasOwn(suites, name) ? suites[name] : undefined;
const rounds = Number(values.rounds ?? roundsDefault);
const seconds = Number(values.seconds ?? secondsDefault);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const isPositive = (value: number) => Number.isInteger(value) && value >= 1;
if (!entry || !isPositive(rounds) || !isPositive(seconds) || !Number.isInteger(seed)) {
  const names = Object.keys(suites).join('|');
  console.error(`usage: npm run test:crash -- <${names}> [--rounds N | --seconds N] [--seed N]`);
  process.exit(2);
}

const extent = entry.measuredIn === 'rounds' ? `${rounds} rounds` : `${seconds} s each`;
console.log(`crash ${name}: ${extent}, seed ${seed}`);
const began = performance.now();
try {
  const suite = await entry.load();
  const checked = await suite({ rounds, seconds, seed, report: (line) => console.log(line) });
  const counts = Object.entries(checked).map(([what, count]) => `${count} ${what}`);
  const took = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`crash ${name}: ${extent}, ${counts.join(', ')} checked in ${took} s: all as it must be (seed ${seed})`);
} catch (error) {
  console.error(error);
  console.error(`crash ${name}: failed (seed ${seed})`);
  process.exitCode = 1;
}
