// What the projector tells of itself to Prometheus, also while its engines are away.
import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import type { BuildStatus } from '../../src/projector/operation/document-status.js';
import { ProjectorWatch } from '../../src/projector/operation/projector-watch.js';

const build: BuildStatus = {
  projection: 'inbox',
  shard: 0,
  build: 1,
  state: 'active',
  position: 400n,
  parkedKeys: 1,
  deadLetters: 3,
  events: 0,
  capped: false,
  seconds: 0,
};

function watched(status: () => Promise<readonly BuildStatus[]>): Registry {
  const registry = new Registry();
  const watch = new ProjectorWatch(registry, () => undefined, { status, head: async () => 400n });
  watch.batch({ ...build, shards: 1 }, 1, { events: 2, commands: 5, parked: 0, position: 400n });
  return registry;
}
const linesOf = async (registry: Registry) => (await registry.metrics()).split('\n');

describe('the figures of the projector', () => {
  it('tell of each build how far it is, and what is parked', async () => {
    const making: BuildStatus = { ...build, build: 2, state: 'building', position: 100n, events: 30, deadLetters: 0 };
    const lines = await linesOf(watched(async () => [build, making]));
    expect(lines).toEqual(
      expect.arrayContaining([
        'homing_projection_status_known 1',
        'homing_projection_progress_ratio{projection="inbox",shard="0",build="1",state="active"} 1',
        'homing_projection_progress_ratio{projection="inbox",shard="0",build="2",state="building"} 0.25',
        'homing_projection_lag_events{projection="inbox",shard="0",build="2",state="building"} 30',
        'homing_projection_dead_letters{projection="inbox",shard="0",build="1",state="active"} 3',
        'homing_projection_parked_keys{projection="inbox",shard="0",build="1",state="active"} 1',
      ]),
    );
  });

  it.each([
    ['fails', () => Promise.reject(new Error('Connection is closed.'))],
    ['does not answer', () => new Promise<never>(() => undefined)],
  ])('are given without those of the builds when the store %s', async (_, away) => {
    let isAway = false;
    const registry = watched(async () => (isAway ? await away() : [build]));
    expect(await linesOf(registry)).toContain('homing_projection_status_known 1');
    isAway = true;
    const lines = await linesOf(registry);
    expect(lines).toContain('homing_projection_status_known 0');
    expect(lines).toContain('homing_projection_events_total{projection="inbox",build="1"} 2');
    // What was known before is not told as if it were so now.
    expect(lines.some((line) => line.startsWith('homing_projection_dead_letters{'))).toBe(false);
  });
});
