// `homing demo`: a service on the import clock, a simulated month sent through its public API, and the headline figures
// beside the truth. `npm run demo -- --exit` stops afterwards, with exit code 0 only if every figure agrees.
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { Profile } from '../simulator/profile.js';
import { figureTable } from './demo/report.js';
import { type DemoRun, runDemo } from './demo/run-demo.js';
import { parseSeed, profileOption } from './simulate.js';

interface Options {
  readonly exit: boolean;
  readonly seed: number;
  readonly profile: Profile;
  readonly port: number;
  readonly dataDir: string;
}

/** Exit codes: a figure differs; told to stop before the end (as shells count signals). */
const differs = 1;
const stoppedEarly = 143;

export function demoCommand(): Command {
  return new Command('demo')
    .description('send a simulated month through the public API and hold the figures against the truth')
    .option('--exit', 'stop afterwards; exit code 0 only if every figure agrees', false)
    .option('--seed <n>', 'which world', parseSeed, 1)
    .addOption(profileOption())
    .option('--port <n>', 'port of the service; another free one when it is taken', parsePort, 3_000)
    .option('--data-dir <dir>', 'empty, or holding the same demo, finished or not', './data-demo')
    .action(demo);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^[0-9]{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError('a port is a number up to 65535');
  return port;
}

async function demo({ exit, seed, profile, port, dataDir }: Options): Promise<void> {
  const stop = new StopSignal();
  const say = (line: string) => {
    process.stdout.write(`${line}\n`);
  };
  const run = await runDemo({ profile, seed, port, dataDir: resolve(dataDir), say, isStopped: () => stop.isGiven });
  const { service, figures } = run;
  if (figures === undefined) {
    await service.stop();
    say('Stopped. The same command goes on from here.');
    process.exitCode = stoppedEarly;
    return;
  }
  say(`\n${figureTable(figures)}`);
  const wrong = figures.filter(({ agrees }) => !agrees).length;
  say(wrong === 0 ? 'Every figure agrees.' : `${wrong} of ${figures.length} figures differ.`);
  if (wrong > 0) process.exitCode = differs;
  if (!exit) {
    say(whereToLook(run));
    await stop.given;
  }
  const code = await service.stop();
  if (code !== 0)
    throw new Error(`the service did not stop cleanly (code ${code}): see ${run.directory.file('service.log')}`);
}

function whereToLook({ service, directory }: DemoRun): string {
  const { dashboardKey } = directory.manifest;
  return [
    '',
    ...(service.dashboardUrl ? [`  Dashboard  ${service.dashboardUrl}#key=${dashboardKey}`] : []),
    `  API        ${service.url}/v1 (key ${dashboardKey})`,
    `  OpenAPI    ${service.url}/docs`,
    `  Truth      ${directory.file('truth.json')}`,
    '',
    'Ctrl-C stops it.',
  ].join('\n');
}

/** SIGTERM and SIGINT, asked for at any time. */
class StopSignal {
  isGiven = false;
  readonly given: Promise<void>;

  constructor() {
    this.given = new Promise((resolve) => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        process.once(signal, () => {
          this.isGiven = true;
          resolve();
        });
      }
    });
  }
}
