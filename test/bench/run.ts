// npm run bench -- <suite> [--quick] [--rounds N] [--only <part of a lane's name>]: figures on standard output, one JSON
// object per line; remarks on standard error. The machine should have nothing else to do.
import { cpus, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import type { BenchSuite } from './suite.js';

const suites: Readonly<Record<string, () => Promise<BenchSuite>>> = {
  log: async () => (await import('./log.js')).benchLog,
  cuts: async () => (await import('./cuts.js')).benchCuts,
  projector: async () => (await import('./projector.js')).benchProjector,
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    rounds: { type: 'string' },
  },
});
const [name = ''] = positionals;
const load = Object.hasOwn(suites, name) ? suites[name] : undefined;
if (!load) {
  console.error(`usage: npm run bench -- <${Object.keys(suites).join('|')}> [--quick] [--rounds N] [--only <lane>]`);
  process.exit(2);
}
const gigabytes = Math.round(totalmem() / 2 ** 30);
console.error(
  `${cpus().length} × ${cpus()[0]?.model}, ${gigabytes} GiB, Linux ${release()}, Node ${process.versions.node}`,
);
const suite = await load();
await suite({
  quick: values.quick,
  only: values.only,
  rounds: values.rounds === undefined ? undefined : Number(values.rounds),
  print: (line) => console.log(line),
  note: (line) => console.error(line),
});
