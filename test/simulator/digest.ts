// Run as a process of its own: prints the digests of a world's three files, so that a test can compare two runs.
import { fileDigests, worldFiles } from '../../src/simulator/files.js';
import { makeTruth } from '../../src/simulator/oracle/truth.js';
import { profiles } from '../../src/simulator/profile.js';
import { makeWorld } from '../../src/simulator/world.js';

const [name = 'nano', seed = '1'] = process.argv.slice(2);
const profile = profiles[name];
if (!profile) throw new RangeError(`no profile ${name}`);
const world = makeWorld(profile, Number(seed));
process.stdout.write(JSON.stringify(fileDigests(worldFiles(world, makeTruth(world)))));
