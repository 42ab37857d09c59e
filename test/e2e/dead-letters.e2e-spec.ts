// Something is parked in a running service: health and figures say so, and an operator looks at it, tries it again when it
// is mended, and drops what cannot be, by the command line and by the API.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cardKeys } from '../../projections/cards.document.js';
import { activeKey, buildPrefix } from '../../src/kernel/document-keys.js';
import { decodePositionToken } from '../../src/kernel/position-token.js';
import { eventually } from '../stores/eventually.js';
import { homing } from './homing-command.js';
import { keys, RunningService } from './running-service.js';

const name = { projection: 'cards', shard: 0, shards: 1 };
/** Of a stored event that says nothing a projection could read. */
const unreadableId = '00000000-0000-8000-8000-0000000000aa';

let service: RunningService;
/** Positions of what is parked: bert's change of name, and the event that cannot be read. */
let renamed: string;
let unreadable: string;
let whole: string;

const admin = (method: string, path: string, body?: unknown) => service.send(method, path, { key: keys.admin, body });
const command = (...words: string[]) => homing(['dead-letters', ...words, '--url', service.url, '--key', keys.admin]);
const redis = () => service.parts.engines.redis.client;
const bertsCard = async () => buildPrefix(name, Number(await redis().get(activeKey(name)))) + cardKeys.member('bert');
const rename = (member: string, displayName: string) =>
  service.send('PATCH', '/v1/members/me/profile', { member, body: { displayName } });

/** Waits until the read model has passed the position. */
async function passed(position: bigint, projection: string): Promise<void> {
  await eventually(async () => {
    const { body } = await admin('GET', '/v1/projections');
    const items = body['items'] as readonly { projection: string; state: string; position: string }[];
    const there = items.find((item) => item.projection === projection && item.state === 'active');
    return there !== undefined && BigInt(there.position) >= position;
  });
}

async function health(): Promise<{ status: string; projections: unknown }> {
  const { status, body } = await service.send('GET', '/health/ready', { key: undefined });
  expect(status).toBe(200);
  return { status: String(body['status']), projections: (body['parts'] as Record<string, unknown>)['projections'] };
}

async function depth(projection: string): Promise<string | undefined> {
  const { body } = await service.send('GET', '/metrics', { key: undefined });
  const figure = new RegExp(`^homing_projection_dead_letters{projection="${projection}",.*state="active"} (.*)$`, 'm');
  return figure.exec(String(body['text']))?.[1];
}

beforeAll(async () => {
  service = await RunningService.start();
  await service.register('anna', 'bert');
  // After a start nothing is remembered of documents: what is damaged now is read when it is changed.
  await service.restart();
  const card = await bertsCard();
  whole = (await redis().get(card)) ?? '';
  await redis().set(card, 'damaged');
  const { body } = await rename('bert', 'Bert the Second');
  renamed = String(decodePositionToken(String(body['position']))?.position);
  const bad = {
    id: unreadableId,
    type: 'MomentPublished',
    contentType: 'application/json' as const,
    data: Buffer.from('{"momentId":'),
    metadata: Buffer.from('{}'),
  };
  const { position } = await service.parts.engines.log.append('moment-bad', [bad], 'no_stream');
  unreadable = String(position);
  for (const projection of ['cards', 'friend-feed']) await passed(position, projection);
}, 60_000);
afterAll(() => service.stop());

describe('while events are parked', () => {
  it('the service is degraded, serves the rest, and says how many there are', async () => {
    expect(await health()).toMatchObject({
      status: 'degraded',
      projections: { status: 'degraded', detail: 'parked events: cards/0: 1, friend-feed/0: 1' },
    });
    expect(await depth('cards')).toBe('1');
    expect(await depth('friend-feed')).toBe('1');
    expect(await depth('inbox')).toBe('0');
    // Others are changed as ever.
    const { body } = await rename('anna', 'Anna the Second');
    await passed(decodePositionToken(String(body['position']))?.position ?? 0n, 'cards');
    expect(await redis().get((await bertsCard()).replace('bert', 'anna'))).toContain('Anna the Second');
  });

  it('the command line lists them, and shows one without what people wrote', async () => {
    const { code, out } = await command('list');
    expect(code).toBe(0);
    const lines = out.split('\n').map((line) => line.split('\t'));
    expect(lines).toContainEqual([
      'cards',
      renamed,
      'MemberProfileChanged',
      'member-bert@1',
      expect.stringContaining('SyntaxError'),
    ]);
    expect(lines).toContainEqual([
      'friend-feed',
      unreadable,
      'MomentPublished',
      'moment-bad@0',
      expect.stringContaining('its data is not JSON'),
    ]);
    expect((await command('list', 'inbox')).out).toBe('nothing is parked\n');
    const shown = await command('show', 'cards', renamed);
    expect(JSON.parse(shown.out)).toMatchObject({
      letter: { projection: 'cards', position: renamed, keys: ['member-bert'] },
      event: { type: 'MemberProfileChanged', stream: 'member-bert', revision: 1 },
    });
    expect(shown.out).not.toContain('Bert the Second');
  }, 120_000);

  it('the API does the same', async () => {
    const { body } = await admin('GET', '/v1/dead-letters?projection=cards');
    expect(body['items']).toMatchObject([{ projection: 'cards', shard: 0, position: renamed, stream: 'member-bert' }]);
    const shown = await admin('GET', `/v1/dead-letters/friend-feed/${unreadable}`);
    expect(shown.body).toMatchObject({ letter: { eventId: unreadableId }, event: expect.stringContaining('not JSON') });
    const whose = await admin('GET', `/v1/dead-letters/cards/${renamed}`);
    expect(JSON.stringify(whose.body)).not.toContain('Bert the Second');
  });
});

describe('an operator', () => {
  it('tries again in vain as long as nothing is mended', async () => {
    expect((await command('retry', 'cards', renamed)).out).toBe('folded 0, still parked 1\n');
    const retried = await admin('POST', `/v1/dead-letters/friend-feed/${unreadable}/retry`);
    expect(retried.body).toEqual({ folded: 0, stillParked: 1, rebuilding: [] });
    expect(await depth('cards')).toBe('1');
  });

  it('tries again when it is mended, and the read model equals the log', async () => {
    await redis().set(await bertsCard(), whole);
    expect((await command('retry', 'cards')).out).toBe('folded 1, still parked 0\n');
    expect(await redis().get(await bertsCard())).toContain('Bert the Second');
    expect(await depth('cards')).toBe('0');
    const { body } = await admin('POST', '/v1/projections/cards/verify');
    expect(body['items']).toMatchObject([{ differences: 0, parked: [] }]);
  });

  it('drops what cannot be mended, for good, and is told that all is well', async () => {
    const dropped = await command('drop', 'friend-feed', unreadable, '--reason', 'written by hand');
    expect(dropped).toMatchObject({ code: 0, out: 'folded 0, still parked 0\n' });
    expect((await command('list', 'friend-feed')).out).toBe('nothing is parked\n');
    expect((await health()).projections).toEqual({ status: 'up' });
    expect(await depth('friend-feed')).toBe('0');
    const again = await admin('POST', `/v1/dead-letters/friend-feed/${unreadable}/drop`, { reason: 'once more' });
    expect(again.body['code']).toBe('not-found');
    const { body } = await admin('POST', '/v1/projections/friend-feed/verify');
    expect(body['items']).toMatchObject([{ differences: 0, parked: [] }]);
  }, 120_000);
});
