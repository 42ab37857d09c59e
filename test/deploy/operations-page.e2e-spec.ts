// docs/operations.md names every figure that a service gives at /metrics, with its labels, and none that it does not.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { untilCaughtUp } from '../../src/cli/operations/until-caught-up.js';
import { HttpOperations } from '../../src/service/operations/http-operations.js';
import { keys, RunningService } from '../e2e/running-service.js';

let service: RunningService;
beforeAll(async () => {
  service = await RunningService.start();
  await service.talkBetween('anna', 'bert');
  await untilCaughtUp(new HttpOperations(service.url, keys.admin));
}, 60_000);
afterAll(() => service.stop());

/** The table of figures: name → labels. */
function documented(): Map<string, string> {
  const rows = readFileSync('docs/operations.md', 'utf8').matchAll(/^\| (`homing_[^|]+) \| ([^|]*) \|/gm);
  return new Map(
    [...rows].flatMap(([, names = '', labels = '']) =>
      [...names.matchAll(/`(homing_[a-z_]+)`/g)].map(([, name = '']) => [name, labels.trim()] as const),
    ),
  );
}

/** What a histogram's lines are called beside its name. */
const suffix = /_(?:bucket|sum|count)$/;

it('lists the figures of the service and their labels', async () => {
  const text = String((await service.send('GET', '/metrics', { key: undefined })).body['text']);
  const given = [...text.matchAll(/^# TYPE (homing_[a-z_]+) /gm)].map(([, name = '']) => name);
  const told = documented();
  expect([...told.keys()].toSorted()).toEqual(given.toSorted());

  const samples = [...text.matchAll(/^(homing_[a-z_]+)(?:\{([^}]*)\})? /gm)];
  for (const [, line = '', labels = ''] of samples) {
    const name = told.has(line) ? line : line.replace(suffix, '');
    const shown = [...labels.matchAll(/([a-z_]+)="/g)].map(([, label]) => label).filter((label) => label !== 'le');
    expect([name, shown.join(', ')]).toEqual([name, told.get(name)]);
  }
  // All that count something here have counted something; what was never parked has no line.
  const shown = new Set(samples.map(([, line = '']) => (told.has(line) ? line : line.replace(suffix, ''))));
  expect(given.filter((name) => !shown.has(name))).toEqual(['homing_projection_parked_total']);
});
