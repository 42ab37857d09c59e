// Waits until the read models are made and at the head, with a bar on a terminal.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProjectionRow } from '../../projector/operation/operations.js';
import type { Operations } from '../../service/operations/operations.js';

const lookEveryMs = 200;
const barCells = 30;
/** Under load there is always something that has only just come. */
const settledSeconds = 1;

/** @param names of read models; absent: all of them */
export async function untilCaughtUp(operations: Operations, names?: readonly string[]): Promise<void> {
  const wanted = new Set(names ?? (await operations.parts()));
  const isTerminal = process.stderr.isTTY;
  for (;;) {
    const rows = (await operations.status()).filter(({ projection }) => wanted.has(projection));
    const making = rows.filter(({ state, lagSeconds }) => state === 'building' || lagSeconds > settledSeconds);
    const ready = new Set(rows.filter(({ state }) => state === 'active').map(({ projection }) => projection));
    if (isTerminal) process.stderr.write(`\r${bar(rows)}`);
    // A read model that is no document projection may tell no state; it is waited for where it does.
    const missing = [...wanted].filter(
      (name) => rows.some(({ projection }) => projection === name) && !ready.has(name),
    );
    if (making.length === 0 && missing.length === 0 && rows.length > 0) break;
    await sleep(lookEveryMs);
  }
  if (isTerminal) process.stderr.write('\r\u001b[2K');
}

/** The one that is furthest behind. */
export function bar(rows: readonly ProjectionRow[]): string {
  const least = Math.min(1, ...rows.map(({ progress }) => progress));
  const full = Math.floor(least * barCells);
  return `[${'#'.repeat(full)}${' '.repeat(barCells - full)}] ${(least * 100).toFixed(1)} %`;
}
