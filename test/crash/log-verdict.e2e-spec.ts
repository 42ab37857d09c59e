// The verdict of the crash rounds bites: whatever could be wrong with a log is planted, and must be found.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import type { NewEvent } from '../../src/event-log/event-log.js';
import { crashLogOptions, type Unit, unitKey, unitOf } from './log-units.js';
import { judge } from './log-verdict.js';

const seed = 7;

describe('the verdict on a log after a crash', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'homing-verdict-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** The first units of two writers. */
  function units(count: number): { readonly keys: string[]; readonly units: Unit[] } {
    const keys: string[] = [];
    const made: Unit[] = [];
    for (const writer of [0, 1]) {
      let own = 0;
      for (let number = 0; number < count; number++) {
        const unit = unitOf(seed, { round: 0, writer, number }, own);
        own = unit.ownAfter;
        keys.push(unitKey({ round: 0, writer, number }));
        made.push(unit);
      }
    }
    return { keys, units: made };
  }

  async function write(made: readonly Unit[]): Promise<void> {
    const log = await EmbeddedEventLog.open(directory, crashLogOptions);
    for (const { appends } of made) await log.appendMany(appends);
    await log.close();
  }

  function verdict(acknowledged: readonly string[]): Promise<number> {
    return judge({ directory, seed, acknowledged: new Set(acknowledged) });
  }

  /** The units with one event of unit `at` changed by `change`, or left out. */
  function tampered(made: readonly Unit[], at: number, change: (event: NewEvent) => NewEvent | undefined): Unit[] {
    return made.map((unit, i) => {
      if (i !== at) return unit;
      const [first, ...rest] = unit.appends as [Unit['appends'][0]];
      const [event, ...others] = first.events as [NewEvent];
      const changed = change(event);
      return {
        ...unit,
        appends: [{ ...first, events: changed ? [changed, ...others] : others, expected: 'any' }, ...rest],
      };
    });
  }

  it('is that all is well when it is', async () => {
    const { keys, units: made } = units(20);
    await write(made);
    expect(await verdict(keys)).toBeGreaterThan(40);
    // What was not acknowledged may be there or not.
    expect(await verdict(keys.slice(0, 5))).toBeGreaterThan(40);
  });

  it('is given when an acknowledged append is gone', async () => {
    const { keys, units: made } = units(20);
    await write(made.slice(0, -1));
    await expect(verdict(keys)).rejects.toThrow('acknowledged and is gone');
  });

  it('is given when an event is there twice', async () => {
    const { keys, units: made } = units(20);
    const again = made[0] as Unit;
    await write([
      ...made,
      { ...again, appends: again.appends.map((append) => ({ ...append, stream: 'elsewhere', expected: 'any' })) },
    ]);
    await expect(verdict(keys)).rejects.toThrow('is there twice');
  });

  it('is given when a part of an append is missing', async () => {
    const { keys, units: made } = units(20);
    const at = made.findIndex(({ appends }) => (appends[0]?.events.length ?? 0) > 1);
    await write(tampered(made, at, () => undefined).map(expectingAny));
    await expect(verdict(keys)).rejects.toThrow('half there');
  });

  it('is given when the data is not what was written', async () => {
    const { keys, units: made } = units(20);
    await write(tampered(made, 3, (event) => ({ ...event, data: Buffer.from('else') })));
    await expect(verdict(keys)).rejects.toThrow('not the data');
  });

  it('is given when a writer’s appends changed places', async () => {
    const { keys, units: made } = units(20);
    const swapped = [made[1] as Unit, made[0] as Unit, ...made.slice(2)];
    await write(swapped.map(expectingAny));
    await expect(verdict(keys)).rejects.toThrow('out of order');
  });
});

function expectingAny(unit: Unit): Unit {
  return { ...unit, appends: unit.appends.map((append) => ({ ...append, expected: 'any' })) };
}
