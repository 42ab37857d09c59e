// The builds of the facts as a stream of the log: which were begun, which one readers read, which are gone. Every change
// is a compare-and-set on the stream's revision, so of two processes that want the same thing one has it.
import { type EventLog, WrongExpectedRevision } from '../../../event-log/event-log.js';
import { textOf } from '../../../event-log/event-text.js';
import { deriveId } from '../../../kernel/ids.js';

export type BuildState = 'building' | 'active' | 'kept' | 'aborted' | 'dropped';

export interface FactBuild {
  readonly build: number;
  readonly state: BuildState;
  /** Of the SQL, the rows and the time zone that it was begun with. */
  readonly fingerprint: string;
  /** Of all builds that readers were given, the one with the highest number is read; 0 before the first time. */
  readonly activation: number;
  /** Why it was given up, where that needs a person: it is not made again by itself. */
  readonly refusal?: string;
}

/** What a change says beside its build. */
interface ChangeDetails {
  readonly fingerprint?: string;
  readonly activation?: number;
  readonly refusal?: string;
}

export interface FactBuilds {
  /** Of the stream; -1 when nothing was ever begun. */
  readonly revision: number;
  readonly builds: readonly FactBuild[];
}

const changes = {
  BuildStarted: 'building',
  BuildActivated: 'active',
  BuildAborted: 'aborted',
  /** Of one that was to be gone back to. */
  BuildKept: 'kept',
  BuildDropped: 'dropped',
} as const satisfies Readonly<Record<string, BuildState>>;
export type BuildChange = keyof typeof changes;

/** Tries against whoever changes the builds at the same time. */
const triesMax = 50;

export function buildsStream(sink: string): string {
  return `sink-${sink}`;
}

export async function readBuilds(log: Pick<EventLog, 'readStream'>, sink: string): Promise<FactBuilds> {
  const builds = new Map<number, FactBuild>();
  let revision = -1;
  for await (const page of log.readStream(buildsStream(sink))) {
    for (const event of page) {
      revision = event.revision;
      if (!Object.hasOwn(changes, event.type)) continue;
      const change = JSON.parse(textOf(event.data)) as ChangeDetails & { build: number };
      const state = changes[event.type as BuildChange];
      if (state === 'active') {
        for (const [other, was] of builds) if (was.state === 'active') builds.set(other, { ...was, state: 'kept' });
      }
      builds.set(change.build, changed(builds.get(change.build), state, change, revision));
    }
  }
  return { revision, builds: [...builds.values()] };
}

function changed(
  was: FactBuild | undefined,
  state: BuildState,
  change: ChangeDetails & { readonly build: number },
  revision: number,
): FactBuild {
  const refusal = change.refusal ?? (state === 'building' ? undefined : was?.refusal);
  return {
    build: change.build,
    state,
    fingerprint: change.fingerprint ?? was?.fingerprint ?? '',
    activation: state === 'active' ? (change.activation ?? revision) : (was?.activation ?? 0),
    ...(refusal === undefined ? {} : { refusal }),
  };
}

/** False: somebody else changed the builds first; read them again. */
export async function changeBuild(
  log: Pick<EventLog, 'append'>,
  sink: string,
  seen: FactBuilds,
  { type, ...data }: ChangeDetails & { readonly type: BuildChange; readonly build: number },
): Promise<boolean> {
  return await appendNext(log, sink, seen, type, data);
}

const droppedType = 'EventDropped';

/** Leaves an event out of every build from now on. False: read the builds again. */
export async function dropEvent(
  log: Pick<EventLog, 'append'>,
  sink: string,
  seen: FactBuilds,
  event: { readonly position: string; readonly reason: string },
): Promise<boolean> {
  return await appendNext(log, sink, seen, droppedType, event);
}

/** Positions of the events that were dropped. */
export async function droppedEvents(log: Pick<EventLog, 'readStream'>, sink: string): Promise<ReadonlySet<string>> {
  const dropped = new Set<string>();
  for await (const page of log.readStream(buildsStream(sink))) {
    for (const { type, data } of page) {
      if (type === droppedType) dropped.add((JSON.parse(textOf(data)) as { position: string }).position);
    }
  }
  return dropped;
}

async function appendNext(
  log: Pick<EventLog, 'append'>,
  sink: string,
  seen: FactBuilds,
  ...[type, data]: [type: string, data: object]
): Promise<boolean> {
  const stream = buildsStream(sink);
  const json = JSON.stringify(data);
  const event = {
    id: deriveId('fact-build', stream, String(seen.revision), type, json),
    type,
    contentType: 'application/json' as const,
    data: Buffer.from(json, 'utf8'),
    metadata: Buffer.from('{}', 'utf8'),
  };
  try {
    await log.append(stream, [event], seen.revision < 0 ? 'no_stream' : seen.revision);
    return true;
  } catch (error) {
    if (error instanceof WrongExpectedRevision) return false;
    throw error;
  }
}

/** What becomes of one that is not made any further: readers read it once, and may again, or it is of no use. */
export function givenUp({ build, activation }: FactBuild): { readonly type: BuildChange; readonly build: number } {
  return { type: activation > 0 ? 'BuildKept' : 'BuildAborted', build };
}

export function activeOf({ builds }: FactBuilds): FactBuild | undefined {
  return builds.find(({ state }) => state === 'active');
}

/** Changes as long as `next` has a change to make of the builds as they are. @throws Error when they kept changing */
export async function untilChanged(
  log: Pick<EventLog, 'append' | 'readStream'>,
  sink: string,
  next: (seen: FactBuilds) => Parameters<typeof changeBuild>[3] | undefined,
): Promise<void> {
  for (let attempt = 0; attempt < triesMax; attempt += 1) {
    const seen = await readBuilds(log, sink);
    const change = next(seen);
    if (!change || (await changeBuild(log, sink, seen, change))) return;
  }
  throw new Error('the builds of the facts kept changing; try again');
}
