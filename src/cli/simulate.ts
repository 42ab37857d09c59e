// `homing simulate`: a seeded social world, written to files or sent to a running service's public API.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { toIso } from '../kernel/clock.js';
import { fileDigests, worldFiles } from '../simulator/files.js';
import { makeTruth } from '../simulator/oracle/truth.js';
import { offeredProfiles, type Profile, profiles } from '../simulator/profile.js';
import { makeAgenda, resumePlace } from '../simulator/runner/agenda.js';
import { HttpClient } from '../simulator/runner/http-client.js';
import { moveClock } from '../simulator/runner/import-clock.js';
import { Sender } from '../simulator/runner/sender.js';
import { makeWorld, type World } from '../simulator/world.js';
import { ProgressBar } from './demo/progress-bar.js';
import { systemTiming } from './demo/system-timing.js';

export function parseSeed(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError('a seed is a whole number of at most 9 digits');
  return Number(text);
}
function parseProfile(name: string): Profile {
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (!profile) throw new InvalidArgumentError(`there is: ${offeredProfiles.join(', ')}`);
  return profile;
}
export function profileOption(): Option {
  return new Option('--profile <name>', 'how big').argParser(parseProfile).default(profiles['tiny'], 'tiny');
}
/** Names the requests of this world: the same for the same profile and seed. */
export function worldName({ profile, seed }: World): string {
  return `${profile.name}-${seed}`;
}

interface Options {
  readonly seed: number;
  readonly profile: Profile;
  readonly write?: string;
  readonly url?: string;
  readonly key?: string;
}

export function simulateCommand(): Command {
  return new Command('simulate')
    .description('make a seeded social world; write its files, or send it to a service that runs by the import clock')
    .option('--seed <n>', 'which world', parseSeed, 1)
    .addOption(profileOption())
    .option('--write <dir>', 'write commands.ndjson, observations.ndjson and truth.json there')
    .option('--url <url>', 'send it to the service at this address')
    .option('--key <key>', 'API key with scope import, for --url')
    .action(simulate);
}

async function simulate({ seed, profile, write, url, key }: Options): Promise<void> {
  if (write === undefined && url === undefined)
    throw new Error('say what to do: --write <dir>, or --url <url> --key <key>');
  if (url !== undefined && key === undefined) throw new Error('--url needs --key <key>, a key with scope import');
  const world = makeWorld(profile, seed);
  if (write !== undefined) await writeWorld(world, write);
  if (url !== undefined && key !== undefined) await sendWorld(world, url, key);
}

async function writeWorld(world: World, directory: string): Promise<void> {
  const files = worldFiles(world, makeTruth(world));
  await mkdir(directory, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  for (const [name, digest] of Object.entries(fileDigests(files))) process.stdout.write(`${digest}  ${name}\n`);
}

async function sendWorld(world: World, origin: string, importKey: string): Promise<void> {
  const timing = systemTiming;
  const client = new HttpClient({ origin, connectionsMax: 64, timing });
  const bar = new ProgressBar(process.stderr, 'sending');
  const agenda = makeAgenda(world.commands, world.observations, worldName(world));
  const onProgress = (sent: number, total: number) => bar.show(sent, total);
  try {
    const clock = await moveClock(agenda[0]?.at ?? toIso(world.endsAt), { client, importKey });
    // At least the last request is sent again: its answer tells how far the projections must come.
    const from = Math.min(resumePlace(agenda, clock), agenda.length - 1);
    const sent = await new Sender(agenda, from, { client, importKey, timing, onProgress }).run();
    await moveClock(toIso(world.endsAt), { client, importKey }, true);
    bar.finish();
    const { accepted, duplicates } = sent.observations;
    process.stdout.write(`${sent.commands} commands, ${accepted} observations, ${duplicates} known already\n`);
  } finally {
    client.close();
  }
}
