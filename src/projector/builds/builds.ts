// The builds of one shard of one projection: which of them readers read, which is being made, which is kept for rollback.
// Each change is one step that looks at what it changes: whoever was away meanwhile finds that it comes too late.
import type { ShardName } from '../../kernel/document-keys.js';

/**
 * returning: was kept, and is gone back to; given up, it is kept as before. refused: readers must not read it, and it is
 * not thrown away either: it may be the log that is the wrong one.
 */
export const buildStates = ['building', 'returning', 'active', 'kept', 'aborted', 'refused'] as const;
export type BuildState = (typeof buildStates)[number];

/** It catches up and then takes over. */
export function isInTheMaking(state: BuildState | undefined): boolean {
  return state === 'building' || state === 'returning';
}

export interface BuildList {
  readonly active: number | undefined;
  readonly states: ReadonlyMap<number, BuildState>;
}

/**
 * behind: readers would go back in time. refused: another one is active than was expected, or the build is not being
 * made any more.
 */
export type Activation = 'switched' | 'behind' | 'refused';

export interface Builds {
  readonly name: ShardName;
  list(): Promise<BuildList>;
  /** The number of a new build; two that begin at once get two numbers, and none is ever given again. */
  begin(): Promise<number>;
  /** Readers read it from now on, if that takes nobody back in time; the one that was read is kept. */
  activate(build: number, expected: number | undefined): Promise<Activation>;
  /**
   * From one state to another: readers lose what was active in the same step, and get what becomes it. False, and nothing
   * is changed: it is in another state by now, or would become active beside another one.
   */
  move(build: number, from: BuildState, to: BuildState): Promise<boolean>;
  /** Removes the keys of a build that was aborted, then the build. */
  clear(build: number): Promise<void>;
  /** Removes every build with its keys. */
  clearAll(): Promise<void>;
}

/** Not made any further, unless it has taken over by now: a new build will be cleared, one that was kept is kept again. */
export async function giveUp(builds: Builds, build: number): Promise<void> {
  if (!(await builds.move(build, 'building', 'aborted'))) await builds.move(build, 'returning', 'kept');
}

/** It will be cleared, whatever it was in the making for, unless it has taken over by now. */
export async function discard(builds: Builds, build: number): Promise<void> {
  if (!(await builds.move(build, 'building', 'aborted'))) await builds.move(build, 'returning', 'aborted');
}

/** A kept build catches up and takes over again. False: it is not kept any more. */
export async function goBackTo(builds: Builds, build: number): Promise<boolean> {
  return (await builds.move(build, 'kept', 'returning')) || (await builds.move(build, 'returning', 'returning'));
}
