// Who handed on what, where the app does not say so: inferred from what the sharer opened before, told apart from what
// was named, and the same however often it is asked.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeHidden } from '../../src/event-log/codec.js';
import type { RecordedEvent } from '../../src/kernel/message.js';
import { type Answer, RunningService } from './running-service.js';

let service: RunningService;
let talk: string;
let clips = 0;
/** Of its own in each example: what was opened before is the matter. */
function newClip() {
  clips += 1;
  return { kind: 'video', contentId: `clip-${clips}`, creatorId: 'cleo' };
}
type Clip = ReturnType<typeof newClip>;

beforeAll(async () => {
  service = await RunningService.start();
  talk = await service.talkBetween('ann', 'bob');
  await service.register('cid');
});
afterAll(() => service.stop());

async function ask(member: string, path: string, body: object, more: object = {}): Promise<Answer> {
  const answer = await service.send('POST', path, { member, body, ...more });
  if (answer.status > 201) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
  return answer;
}
async function share(member: string, contentRef: Clip, more: object = {}): Promise<Record<string, unknown>> {
  const { body } = await ask(member, '/v1/shares', { contentRef, surface: 'feed', ...more });
  const [initiated] = await eventsOf(`share-${String(body['shareId'])}`);
  return initiated?.data as Record<string, unknown>;
}
function viewOf(memberId: string, contentRef: Clip, viaShareId: unknown, change: object = {}) {
  const viewId = `view-${memberId}-${contentRef.contentId}-${String(viaShareId).slice(0, 8)}`;
  return {
    specversion: '1.0',
    id: viewId,
    source: 'app',
    type: 'ContentViewed',
    time: new Date().toISOString(),
    data: { viewId, memberId, contentRef, surface: 'conversation', dwellMs: 2_000, viaShareId, ...change },
  };
}
const observe = (...items: object[]) => service.send('POST', '/v1/events', { body: items });
async function eventsOf(stream: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const page of service.parts.engines.log.readStream(stream)) events.push(...page.map(decodeHidden));
  return events;
}

describe('a share whose app names no parent', () => {
  it('is below the one that its sharer opened in the app, once, however often the view is reported', async () => {
    const clip = newClip();
    const { shareId: root } = await share('ann', clip);
    const view = viewOf('bob', clip, root);
    expect((await observe(view, view)).body).toMatchObject({ accepted: 1, duplicates: 1 });
    expect((await observe(view)).body).toMatchObject({ duplicates: 1 });
    const opens = await eventsOf(`shareopen-bob_${clip.contentId}`);
    expect(opens.map(({ data, metadata }) => ({ data, at: metadata.occurredAt }))).toMatchObject([
      { data: { openerId: 'bob', shareId: root, kind: 'in_app_share_open' }, at: view.time },
    ]);
    const handedOn = await share('bob', clip);
    expect(handedOn).toMatchObject({
      parentShareId: root,
      parentEvidence: 'window',
      rootShareId: root,
      depth: 1,
      explicit: { rootShareId: handedOn['shareId'], depth: 0 },
    });
  });

  it('is below the one of the same session rather than a later one', async () => {
    const clip = newClip();
    const [{ shareId: first }, { shareId: second }] = [await share('ann', clip), await share('cid', clip)];
    await observe(viewOf('bob', clip, first, { sessionId: 'evening' }));
    await observe(viewOf('bob', clip, second));
    expect(await share('bob', clip, { sessionId: 'evening' })).toMatchObject({
      parentShareId: first,
      parentEvidence: 'session',
    });
    expect(await share('bob', clip)).toMatchObject({ parentShareId: second, parentEvidence: 'window' });
  });

  it('is below the one whose link its sharer opened', async () => {
    const clip = newClip();
    const { shareId: root } = await share('ann', clip);
    const { body: link } = await ask('ann', `/v1/shares/${String(root)}/link`, {});
    const open = (member: string, more: object = {}) =>
      ask(member, '/v1/link-opens', { code: link['code'], ...more }, { headers: { 'homing-session': `of-${member}` } });
    await open('cid', { prefetch: true });
    expect(await share('cid', clip)).toMatchObject({ parentEvidence: 'none' });
    await open('bob');
    const evidence = { parentShareId: root, parentEvidence: 'session' };
    expect(await share('bob', clip, { sessionId: 'of-bob' })).toMatchObject(evidence);
    // Whoever tries the own link is led on by nobody.
    await open('ann');
    expect(await share('ann', clip)).toMatchObject({ parentEvidence: 'none', depth: 0 });
  });

  it('made of a bare card is below what its sender opened too', async () => {
    const clip = newClip();
    const { shareId: root } = await share('cid', clip);
    await observe(viewOf('ann', clip, root));
    const card = { attachments: [{ kind: 'share_card', contentRef: clip }] };
    const { body } = await ask('ann', `/v1/conversations/${talk}/messages`, card);
    const [initiated] = await eventsOf(`share-${String(body['shareId'])}`);
    expect(initiated?.data).toMatchObject({ parentShareId: root, parentEvidence: 'window', depth: 1 });
  });

  it('is a root when nothing of another’s was opened: other content, the own share, none at all', async () => {
    const [clip, other] = [newClip(), newClip()];
    const [{ shareId: ofOther }, { shareId: own }] = [await share('ann', other), await share('bob', clip)];
    await observe(viewOf('bob', clip, ofOther), viewOf('bob', clip, own), viewOf('bob', clip, 'no-such-share'));
    const root = await share('bob', clip);
    expect(root).toMatchObject({ parentEvidence: 'none', rootShareId: root['shareId'], depth: 0 });
    expect(root).not.toHaveProperty('explicit');
  });

  it('is a root for who agreed to no analysis, and nothing is kept of what they open', async () => {
    const clip = newClip();
    const { shareId: root } = await share('ann', clip);
    await observe(viewOf('cid', clip, root));
    const analysis = (granted: boolean) =>
      service.send('PUT', '/v1/members/me/consents/product_analytics', {
        member: 'cid',
        body: { granted, policyVersion: '1' },
      });
    await analysis(false);
    expect(await share('cid', clip)).toMatchObject({ parentEvidence: 'none' });
    const later = newClip();
    const { shareId } = await share('ann', later);
    await observe(viewOf('cid', later, shareId));
    await analysis(true);
    expect(await eventsOf(`shareopen-cid_${later.contentId}`)).toEqual([]);
    expect(await share('cid', later)).toMatchObject({ parentEvidence: 'none' });
  });
});

describe('what was inferred', () => {
  it('stays: the same request gives the same answer whatever was opened since, and over a restart', async () => {
    const clip = newClip();
    const { shareId: first } = await share('ann', clip);
    await observe(viewOf('bob', clip, first));
    const body = { contentRef: clip, surface: 'feed' };
    const again = () => ask('bob', '/v1/shares', body, { idempotencyKey: 'hand-on' });
    const answer = await again();
    expect(answer.body).toMatchObject({ rootShareId: first, depth: 1 });
    const { shareId: second } = await share('cid', clip);
    await observe(viewOf('bob', clip, second));
    expect((await again()).body).toEqual(answer.body);
    await service.restart();
    expect((await again()).body).toEqual(answer.body);
    expect(await share('bob', clip)).toMatchObject({ parentShareId: second });
  });

  it('gives way to what the app names, and is told apart in the figures of the share', async () => {
    const clip = newClip();
    const { shareId: root } = await share('ann', clip);
    await observe(viewOf('bob', clip, root), viewOf('cid', clip, root));
    const inferred = await share('bob', clip);
    const named = await share('cid', clip, { parentShareId: root });
    expect(named).toMatchObject({ parentEvidence: 'explicit' });
    const below = await share('cid', clip, { parentShareId: inferred['shareId'] });
    expect(below).toMatchObject({ depth: 2, explicit: { rootShareId: inferred['shareId'], depth: 1 } });
    const gone = { destinationClass: 'off_platform', destination: 'x', channelEvidence: 'declared' };
    let position = '';
    for (const { shareId, sharerId } of [inferred, named, below]) {
      const { body } = await ask(String(sharerId), `/v1/shares/${String(shareId)}/complete`, gone);
      position = String(body['position']);
    }
    const detail = async (member: string, shareId: unknown) =>
      (await service.send('GET', `/v1/shares/${String(shareId)}?minPosition=${position}`, { member })).body;
    expect(await detail('ann', root)).toMatchObject({
      children: 2,
      chain: { descendants: 3, depthMax: 2 },
      explicit: { children: 1, chain: { descendants: 1, depthMax: 1 } },
    });
    expect(await detail('bob', inferred['shareId'])).toMatchObject({
      share: { parentShareId: root, parentEvidence: 'window', depth: 1 },
      children: 1,
      explicit: { children: 1 },
    });
  });
});
