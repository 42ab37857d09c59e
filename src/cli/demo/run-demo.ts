// A demo from beginning to end: make the world, start the service, send it, settle, compare. Whatever breaks it off, the
// next run on the same directory goes on where it stood.
import { writeFile } from 'node:fs/promises';
import { toIso } from '../../kernel/clock.js';
import { worldFiles } from '../../simulator/files.js';
import { makeTruth, type Truth } from '../../simulator/oracle/truth.js';
import type { Profile } from '../../simulator/profile.js';
import { makeAgenda, resumePlace } from '../../simulator/runner/agenda.js';
import type { Figure } from '../../simulator/runner/figure.js';
import { headlineFigures } from '../../simulator/runner/headline.js';
import { HttpClient } from '../../simulator/runner/http-client.js';
import { moveClock } from '../../simulator/runner/import-clock.js';
import { ReadingApi } from '../../simulator/runner/reading-api.js';
import { Sender } from '../../simulator/runner/sender.js';
import { worldVersion } from '../../simulator/world/setting.js';
import { makeWorld, type World } from '../../simulator/world.js';
import { DemoDirectory } from './demo-directory.js';
import { ProgressBar } from './progress-bar.js';
import { freePort, ServiceProcess, waitUntilGone } from './service-process.js';
import { systemTiming } from './system-timing.js';

export interface DemoOptions {
  readonly profile: Profile;
  readonly seed: number;
  readonly dataDir: string;
  readonly port: number;
  /** A line for the user. */
  readonly say: (line: string) => void;
  readonly isStopped: () => boolean;
}
export interface DemoRun {
  readonly service: ServiceProcess;
  readonly directory: DemoDirectory;
  /** Undefined: it was told to stop before everything was sent. */
  readonly figures: readonly Figure[] | undefined;
}

const connectionsMax = 64;

/** The service is up when this returns, also when it was told to stop; on an error it is stopped before that is thrown. */
export async function runDemo(options: DemoOptions): Promise<DemoRun> {
  const { profile, seed, dataDir, say } = options;
  const directory = await DemoDirectory.open(dataDir, { profile: profile.name, seed, worldVersion });
  say(`Making the world: profile ${profile.name}, seed ${seed}`);
  const world = makeWorld(profile, seed);
  const truth = makeTruth(world);
  await writeFile(
    directory.file('truth.json'),
    worldFiles({ ...world, commands: [], observations: [] }, truth)['truth.json'],
  );
  say(
    `  ${world.people.length} people, ${world.commands.length} commands, ${world.observations.length} observations delivered`,
  );
  const service = await startService(directory, world, options);
  try {
    say(`The service is up at ${service.url} (its log: ${directory.file('service.log')})`);
    const figures = await sendAndCompare({ world, truth, service, directory }, options);
    return { service, directory, figures };
  } catch (error) {
    if (options.isStopped()) return { service, directory, figures: undefined };
    await service.stop();
    throw error;
  }
}

async function startService(directory: DemoDirectory, world: World, { port }: DemoOptions): Promise<ServiceProcess> {
  const { servicePid, key, dashboardKey } = directory.manifest;
  if (servicePid !== undefined) await waitUntilGone(servicePid);
  const service = await ServiceProcess.start({
    dataDir: directory.path,
    port: await freePort(port),
    logFile: directory.file('service.log'),
    order: {
      keys: [
        { name: 'demo: sends the world, reads every figure', scopes: ['import', 'analyst', 'admin'], token: key },
        { name: 'demo: the dashboard', scopes: ['analyst', ...brandScopes(world)], token: dashboardKey },
      ],
    },
  });
  await directory.save({ servicePid: service.pid });
  return service;
}

function brandScopes({ brands }: World): `brand:${string}`[] {
  return brands.map(({ brandId }) => `brand:${brandId}` as const);
}

interface Started {
  readonly world: World;
  readonly truth: Truth;
  readonly service: ServiceProcess;
  readonly directory: DemoDirectory;
}

async function sendAndCompare(
  { world, truth, service, directory }: Started,
  { profile, seed, say, isStopped }: DemoOptions,
): Promise<readonly Figure[] | undefined> {
  const timing = systemTiming;
  const isOver = () => service.isGone || isStopped();
  const client = new HttpClient({ origin: service.url, connectionsMax, timing, isOver });
  const { key } = directory.manifest;
  try {
    const agenda = makeAgenda(world.commands, world.observations, `${profile.name}-${seed}`);
    const clock = await moveClock(agenda[0]?.at ?? toIso(world.endsAt), { client, importKey: key });
    // At least the last request is sent again: its answer tells how far the projections must come.
    const from = Math.min(resumePlace(agenda, clock), agenda.length - 1);
    if (from > 0) say(`Going on after ${from} of ${agenda.length} requests`);
    const bar = new ProgressBar(process.stderr, 'sending');
    const startedAt = timing.now();
    const sender = new Sender(agenda, from, {
      client,
      importKey: key,
      timing,
      isStopped,
      onProgress: (sent, total) => bar.show(sent, total),
    });
    const sent = await sender.run();
    bar.finish();
    if (!sent.complete) return undefined;
    say(`Sent in ${((timing.now() - startedAt) / 1_000).toFixed(1)} s (${client.repeats} requests sent again)`);
    await moveClock(toIso(world.endsAt), { client, importKey: key }, true);
    const settledAt = timing.now();
    const figures = await headlineFigures(
      truth,
      new ReadingApi({ client, key, timing, position: sent.position, completeUpTo: truth.endsAt }),
    );
    say(`Projections caught up and figures asked in ${((timing.now() - settledAt) / 1_000).toFixed(1)} s`);
    return figures;
  } finally {
    client.close();
  }
}
