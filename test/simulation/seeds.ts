// Which worlds are tried. One that failed, alone: SIMULATION_SEED=<n>; more of them: SIMULATION_WORLDS=<n>.
import { Violation } from './fate.js';

const asked = Number(process.env['SIMULATION_SEED']);

/** @param usually how many, unless it is said otherwise */
export function worldSeeds(usually: number): readonly [seed: number][] {
  const worlds = Number(process.env['SIMULATION_WORLDS'] ?? usually);
  return asked > 0 ? [[asked]] : Array.from({ length: worlds }, (_, index) => [1_000 + index]);
}

/** @param seeds among which at least one must see a rule violated @throws Error when none does */
export async function mustFind(
  run: (seed: number) => Promise<string>,
  seeds: { readonly first: number; readonly max: number },
): Promise<void> {
  for (let tried = 0; tried < seeds.max; tried += 1) {
    const found = await run(seeds.first + tried).catch((error: unknown) => error);
    if (found instanceof Violation) return;
    if (typeof found !== 'string') throw found;
  }
  throw new Error(`${seeds.max} seeds did not find it`);
}
