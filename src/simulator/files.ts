// The three files of a world: what is sent (commands, observations as they are delivered; one JSON document a line) and
// the truth about it. The same profile and seed give the same bytes.
import { createHash } from 'node:crypto';
import type { Truth } from './oracle/truth.js';
import type { World } from './world.js';

export interface WorldFiles {
  readonly 'commands.ndjson': string;
  readonly 'observations.ndjson': string;
  readonly 'truth.json': string;
}

export function worldFiles(world: World, truth: Truth): WorldFiles {
  const lines = (items: readonly object[]) => items.map((item) => `${JSON.stringify(item)}\n`).join('');
  return {
    'commands.ndjson': lines(world.commands),
    'observations.ndjson': lines(world.observations),
    'truth.json': `${JSON.stringify(truth, undefined, 2)}\n`,
  };
}

/** SHA-256 of each file, hex. */
export function fileDigests(files: WorldFiles): Record<keyof WorldFiles, string> {
  const digest = (text: string) => createHash('sha256').update(text).digest('hex');
  return {
    'commands.ndjson': digest(files['commands.ndjson']),
    'observations.ndjson': digest(files['observations.ndjson']),
    'truth.json': digest(files['truth.json']),
  };
}
