// Before readers see anything of a new build, some of its documents are held against an independent fold of the log; and
// what it takes over from the build that it replaces.
import { ownKeys } from '../../kernel/document-keys.js';
import { ProjectionStuck } from '../fold/document-runner.js';
import { DocumentVerifier, type DocumentVerifierOptions } from '../operation/document-verifier.js';
import type { WriteCommand } from '../sinks/document-sink.js';
import type { DocumentStore } from '../sinks/document-store.js';
import { type Builds, discard } from './builds.js';

/** The documents of one owner in so many are compared. */
const sampleParts = 16;

export interface BuildCheckOptions extends Omit<DocumentVerifierOptions, 'name' | 'build' | 'sample'> {
  readonly builds: Builds;
  readonly build: number;
}

/** @throws ProjectionStuck when something differs; the build is given up then */
export async function checkBuild({ builds, build, ...options }: BuildCheckOptions, signal: AbortSignal): Promise<void> {
  const sample = { part: build % sampleParts, parts: sampleParts };
  const verifier = new DocumentVerifier({ ...options, name: builds.name, build, sample });
  const { differences, told } = await verifier.verify(signal);
  if (differences === 0) return;
  await discard(builds, build);
  throw new ProjectionStuck(
    options.projection.name,
    `build ${build} differs from the fold of the log in ${differences} documents (${told[0]?.at ?? ''}): it was given up`,
  );
}

/** What was dropped by hand stays dropped. */
export async function droppedByHand(store: DocumentStore, builds: Builds): Promise<readonly WriteCommand[]> {
  const { active } = await builds.list();
  if (active === undefined) return [];
  const letters = Object.entries(await store.sink(builds.name, active).droppedLetters());
  return letters.length === 0 ? [] : [['HSET', ownKeys.dropped, ...letters.flat()]];
}
