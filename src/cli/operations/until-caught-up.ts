// Waits until the read models are made and at the head, or until the builds that were asked for are read, with a bar on a
// terminal.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProjectionRow } from '../../projector/operation/operations.js';
import type { Operations } from '../../service/operations/operations.js';

/** A look asks the engine that is being filled. */
const lookEveryMs = 500;
const barCells = 30;
/** Under load there is always something that has only just come. */
const settledSeconds = 1;

/** @param names of read models; absent: all of them */
export async function untilCaughtUp(operations: Operations, names?: readonly string[]): Promise<void> {
  const wanted = new Set(names ?? (await operations.parts()));
  await look(operations, (status) => {
    const rows = status.filter(({ projection }) => wanted.has(projection));
    const making = rows.filter(({ state, lagSeconds }) => state === 'building' || lagSeconds > settledSeconds);
    const ready = new Set(rows.filter(({ state }) => state === 'active').map(({ projection }) => projection));
    // A read model that is no document projection may tell no state; it is waited for where it does.
    const missing = [...wanted].filter(
      (name) => rows.some(({ projection }) => projection === name) && !ready.has(name),
    );
    return { rows, done: making.length === 0 && missing.length === 0 && rows.length > 0 };
  });
}

/** A build that was asked for. */
export interface AskedBuild {
  readonly projection: string;
  readonly shard: number;
  readonly build: number;
}

/** @throws Error that names those that were given up, once each of the asked builds is read or given up */
export async function untilRead(operations: Operations, asked: readonly AskedBuild[]): Promise<void> {
  const rowOf = (status: readonly ProjectionRow[], { projection, shard, build }: AskedBuild) =>
    status.find((row) => row.projection === projection && row.shard === shard && row.build === build);
  const status = await look(operations, (found) => {
    const rows = asked.flatMap((one) => rowOf(found, one) ?? []);
    return { rows, done: rows.every(({ state }) => state !== 'building') };
  });
  const lost = asked.filter((one) => rowOf(status, one)?.state !== 'active');
  if (lost.length === 0) return;
  const told = lost.map(({ projection, shard, build }) => {
    const read = status.find((row) => row.projection === projection && row.shard === shard && row.state === 'active');
    return `${projection}/${shard}: build ${build} was given up, ${read ? `build ${read.build} is read` : 'none is read'}`;
  });
  throw new Error(`${told.join('; ')}. The projector's log says why`);
}

interface Look {
  /** What the bar is about. */
  readonly rows: readonly ProjectionRow[];
  readonly done: boolean;
}

async function look(
  operations: Operations,
  judge: (status: readonly ProjectionRow[]) => Look,
): Promise<readonly ProjectionRow[]> {
  const isTerminal = process.stderr.isTTY;
  for (;;) {
    const status = await operations.status();
    const { rows, done } = judge(status);
    if (isTerminal) process.stderr.write(done ? '\r\u001b[2K' : `\r${bar(rows)}`);
    if (done) return status;
    await sleep(lookEveryMs);
  }
}

/** The one that is furthest behind. */
export function bar(rows: readonly ProjectionRow[]): string {
  const least = Math.min(1, ...rows.map(({ progress }) => progress));
  const full = Math.floor(least * barCells);
  return `[${'#'.repeat(full)}${' '.repeat(barCells - full)}] ${(least * 100).toFixed(1)} %`;
}
