// Faults that the simulation must find: each breaks one rule that keeps readers and documents right.
import { ownKeys, type ShardName } from '../../src/kernel/document-keys.js';
import { type Activation, type BuildState, type Builds, isInTheMaking } from '../../src/projector/builds/builds.js';
import { shardWork } from '../../src/projector/builds/other-shards.js';
import { DocumentVerifier } from '../../src/projector/operation/document-verifier.js';
import type { BuildSink } from '../../src/projector/sinks/document-sink.js';
import type { Around, Shelf, Shelves } from '../projector/memory-documents.js';
import { aWhileOld, changed } from './changed.js';
import type { Planted } from './deployment.js';

/** Each part with its shelf, and how its steps are taken. */
interface Parts {
  readonly shelf: Shelf;
  readonly shelves: Shelves;
  readonly around: Around;
  readonly holder: string;
}

function inBuilds(change: (builds: Builds, parts: Parts) => Partial<Builds>): Planted {
  return {
    store: (sound, around, { shelves, holder }) => ({
      builds: (name) => {
        const builds = sound.builds(name);
        return changed(builds, change(builds, { shelf: shelves.shelf(name), shelves, around, holder }));
      },
    }),
  };
}

function inSink(change: (sink: BuildSink, build: number, parts: Parts) => Partial<BuildSink>): Planted {
  return {
    store: (sound, around, { shelves, holder }) => ({
      sink: (name, build) => {
        const sink = sound.sink(name, build);
        return changed(sink, change(sink, build, { shelf: shelves.shelf(name), shelves, around, holder }));
      },
    }),
  };
}

/** Writes on whatever is there. */
function overwrite({ shelf, around }: Parts, build: number): BuildSink['commit'] {
  return async (commit) =>
    await around(() => {
      const expected = shelf.sink(build).keys.get(ownKeys.checkpoint) as string | undefined;
      return shelf.sink(build).commit({ ...commit, expected });
    }, `overwrite ${build}`);
}

export const faults: Readonly<Record<string, Planted>> = {
  'a sink that does not look at the checkpoint before it writes': inSink((_, build, parts) => ({
    commit: overwrite(parts, build),
  })),
  'a lease in the place of the fence': inSink((_, build, parts) => ({
    commit: async (commit) => {
      const { shard, shards }: ShardName = parts.shelf.name;
      const isOurs = parts.shelves.leases.get(shardWork(shard, shards))?.holder === parts.holder;
      if (isOurs) return await overwrite(parts, build)(commit);
      return { found: parts.shelf.sink(build).keys.get(ownKeys.checkpoint) as string | undefined };
    },
  })),
  'a switch to a build that is behind': inBuilds((_, { shelf, around }) => ({
    activate: (build, expected) =>
      around((): Activation => {
        if (!isInTheMaking(shelf.states.get(build)) || shelf.active !== expected) return 'refused';
        if (expected !== undefined) shelf.states.set(expected, 'kept');
        shelf.states.set(build, 'active');
        shelf.active = build;
        return 'switched';
      }, `activate ${build}`),
  })),
  'a switch in two steps, with nothing to read between them': inBuilds((builds, { shelf, around }) => ({
    activate: async (build, expected) => {
      const answer = await builds.activate(build, expected);
      if (answer !== 'switched') return answer;
      await around(() => {
        shelf.active = undefined;
      }, 'between');
      await around(() => {
        shelf.active = build;
      }, 'after');
      return answer;
    },
  })),
  'a clean-up that takes the build that is read along': inBuilds((builds, { shelf, around }) => ({
    clear: async (build) => {
      await builds.clear(build);
      await around(() => shelf.sink(shelf.active ?? build).keys.clear(), 'clear too much');
    },
  })),
  'a clean-up that forgets the keys': inBuilds((_, { shelf, around }) => ({
    clear: (build) =>
      around(() => {
        shelf.states.delete(build);
      }, `forget ${build}`),
  })),
  'a change of state that does not look at the state before': inBuilds((_, { shelf, around }) => ({
    move: (build, __, to: BuildState) =>
      around(() => {
        shelf.states.set(build, to);
        if (shelf.active === build && to !== 'active') shelf.active = undefined;
        return true;
      }, `mark ${build} ${to}`),
  })),
  'a build that is begun once more after it was cleared': inSink((_, build, { shelf, around }) => ({
    commit: async (commit) => await around(() => shelf.sink(build).commit(commit), `commit ${build}`),
  })),
  'a lease that does not run out': {
    store: (sound, around, { shelves }) => ({
      lease: (work, holder) => {
        const hold = () =>
          around(() => {
            const isFree = (shelves.leases.get(work)?.holder ?? holder) === holder;
            if (isFree) shelves.leases.set(work, { holder, untilMs: Number.POSITIVE_INFINITY });
            return isFree;
          }, `hold ${work}`);
        return changed(sound.lease(work, holder), { hold });
      },
    }),
  },
  'a switch before the comparison': {
    code: () => {
      const sound = Object.getOwnPropertyDescriptor(DocumentVerifier.prototype, 'verify') ?? {};
      DocumentVerifier.prototype.verify = async () => ({
        part: '',
        position: 0n,
        compared: 0,
        differences: 0,
        told: [],
        parked: [],
      });
      return () => {
        Object.defineProperty(DocumentVerifier.prototype, 'verify', sound);
      };
    },
  },
  'a head that is a while old': {
    log: (log) => ({ head: aWhileOld(() => log.head()) }),
  },
};
