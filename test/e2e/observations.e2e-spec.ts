// POST /v1/events: a verdict for each item, a duplicate never counts, and a full queue loses and doubles nothing.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeHidden } from '../../src/event-log/codec.js';
import type { RecordedEvent } from '../../src/kernel/message.js';
import { type Answer, RunningService } from './running-service.js';

let service: RunningService;

beforeAll(async () => {
  service = await RunningService.start();
  await service.register('anna');
  const consent = { granted: true, policyVersion: '1' };
  await service.send('PUT', '/v1/members/me/consents/brand_measurement', { member: 'anna', body: consent });
});
afterAll(() => service.stop());

function view(id: string, change: Record<string, unknown> = {}, data: Record<string, unknown> = {}) {
  const contentRef = { kind: 'video', contentId: 'clip', creatorId: 'bert' };
  return {
    specversion: '1.0',
    id,
    source: 'device-1',
    type: 'ContentViewed',
    time: new Date().toISOString(),
    data: { viewId: id, memberId: 'anna', contentRef, surface: 'feed', dwellMs: 1200, ...data },
    ...change,
  };
}

function post(items: readonly unknown[], headers: Record<string, string> = {}): Promise<Answer> {
  return service.send('POST', '/v1/events', { body: items, headers });
}

async function observations(): Promise<RecordedEvent[]> {
  const found: RecordedEvent[] = [];
  for await (const page of service.parts.engines.log.readAll()) {
    found.push(...page.filter(({ stream }) => stream.startsWith('observations-')).map(decodeHidden));
  }
  return found;
}

describe('observations', () => {
  it('are recorded with their own time, their sender and the consent of that moment', async () => {
    const time = new Date(Date.now() - 3_600_000).toISOString();
    const answer = await post([view('v1', { time })], { 'homing-platform': 'ios' });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ accepted: 1, duplicates: 0, rejected: 0, position: expect.any(String) });
    const recorded = (await observations()).find(({ metadata }) => metadata.clientEventId === 'v1');
    expect(recorded).toMatchObject({
      type: 'ContentViewed',
      data: { viewId: 'v1', dwellMs: 1200 },
      metadata: {
        actor: { kind: 'member', id: 'anna' },
        occurredAt: time,
        platform: 'ios',
        country: 'AT',
        consent: { product_analytics: true, brand_measurement: true },
      },
    });
    expect(recorded?.metadata.commandId).toBeUndefined();
  });

  it('are told apart by source and id: in one batch, in two, at the same time and over a restart', async () => {
    const before = (await observations()).length;
    const twice = await post([view('d1'), view('d1'), view('d1', { source: 'device-2' })]);
    expect(twice.body['items']).toMatchObject([
      { id: 'd1', status: 'accepted' },
      { id: 'd1', status: 'duplicate' },
      { id: 'd1', status: 'accepted' },
    ]);
    const answers = await Promise.all(Array.from({ length: 10 }, () => post([view('d2'), view('d3')])));
    const accepted = answers.reduce((sum, { body }) => sum + Number(body['accepted']), 0);
    expect(accepted).toBe(2);
    await service.restart();
    expect((await post([view('d1'), view('d2')])).body).toMatchObject({ accepted: 0, duplicates: 2 });
    expect((await observations()).length).toBe(before + 4);
  });

  it('get a verdict each: one bad item in 1,000 is rejected with its code, 999 are accepted', async () => {
    const before = (await observations()).length;
    const batch = Array.from({ length: 1_000 }, (_, n) => view(`k${n}`));
    batch[500] = view('k500', {}, { dwellMs: 'long' });
    const answer = await post(batch);
    expect(answer.body).toMatchObject({ accepted: 999, duplicates: 0, rejected: 1 });
    const items = answer.body['items'] as object[];
    expect(items).toHaveLength(1_000);
    expect(items[500]).toMatchObject({ id: 'k500', status: 'rejected', code: 'invalid-data' });
    expect((await observations()).length).toBe(before + 999);
  });

  it.each([
    ['no CloudEvent', { hello: 'world' }, 'invalid-event', null],
    ['nothing', null, 'invalid-event', null],
    ['another version', view('r1', { specversion: '0.3' }), 'invalid-event', 'r1'],
    ['an unknown type', view('r2', { type: 'ToasterToasted' }), 'unknown-type', 'r2'],
    ['a type of Object', view('r3', { type: 'constructor' }), 'unknown-type', 'r3'],
    ['an unknown field in data', view('r4', {}, { colour: 'red' }), 'unknown-field', 'r4'],
    ['nobody', view('r5', {}, { memberId: undefined }), 'invalid-data', 'r5'],
    ['eight days ago', view('r6', { time: new Date(Date.now() - 8 * 86_400_000).toISOString() }), 'too-late', 'r6'],
    ['no time', view('r7', { time: 'yesterday' }), 'invalid-event', 'r7'],
    ['a way into prototypes', JSON.parse('{"id":"r8","__proto__":{"a":1}}'), 'unknown-field', 'r8'],
    ['half a character', view('r9', { subject: '\ud800' }), 'invalid-event', 'r9'],
    ['depths', view('r10', {}, { deep: JSON.parse('['.repeat(16) + ']'.repeat(16)) }), 'too-deep', 'r10'],
  ])('of %s are rejected alone', async (what, item, code, id) => {
    const answer = await post([item, view(`beside-${what.replaceAll(' ', '-')}`)]);
    expect(answer.body).toMatchObject({ accepted: 1, rejected: 1 });
    expect((answer.body['items'] as object[])[0]).toMatchObject({ id, status: 'rejected', code });
  });

  it('may carry extension attributes', async () => {
    expect((await post([view('e1', { traceparent: '00-1', sampledrate: 5 })])).body).toMatchObject({ accepted: 1 });
  });

  it('from up to 7 days ago are accepted, from the future are dated when they came', async () => {
    const late = new Date(Date.now() - 6 * 86_400_000).toISOString();
    const ahead = new Date(Date.now() + 3_600_000).toISOString();
    expect((await post([view('t1', { time: late }), view('t2', { time: ahead })])).body).toMatchObject({ accepted: 2 });
    const [recorded] = (await observations()).filter(({ metadata }) => metadata.clientEventId === 't2');
    expect(recorded?.metadata.clampedFrom).toBe(ahead);
    expect(recorded?.metadata.occurredAt).toBe(recorded?.metadata.receivedAt);
  });

  it('are refused whole when the queue is full, and sent again nothing is missing and nothing doubled', async () => {
    await service.restart({ HOMING_APPEND_QUEUE_BYTES_MAX: '65536' });
    const before = (await observations()).length;
    const batches = Array.from({ length: 30 }, (_, b) => Array.from({ length: 50 }, (__, n) => view(`q${b}-${n}`)));
    let waiting = batches;
    let refusals = 0;
    for (let round = 0; waiting.length > 0 && round < 100; round += 1) {
      const answers = await Promise.all(waiting.map((batch) => post(batch)));
      for (const { status, body, headers } of answers.filter((answer) => answer.status !== 200)) {
        refusals += 1;
        expect({ status, code: body['code'] }).toEqual({ status: 503, code: 'queue-full' });
        expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      }
      waiting = waiting.filter((_, index) => answers[index]?.status !== 200);
    }
    expect(waiting).toHaveLength(0);
    expect(refusals).toBeGreaterThan(0);
    const events = await observations();
    expect(events.length).toBe(before + 1_500);
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    await service.restart({});
  });

  it('show how many ids are remembered', async () => {
    const { body } = await service.send('GET', '/metrics');
    const line = /^homing_observation_ids_remembered (\d+)$/m.exec(String(body['text']));
    expect(Number(line?.[1])).toBe((await observations()).length);
  });
});
