// Bad input gets a clear answer with a stable code, and nothing is recorded.
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { depthMax } from '../../src/http/request/json-body.js';
import { keys, RunningService, type Sent } from './running-service.js';

let service: RunningService;
let conversationId: string;
let shareId: string;

beforeAll(async () => {
  service = await RunningService.start({ HOMING_BODY_BYTES_MAX: '20000', HOMING_BATCH_ITEMS_MAX: '20' });
  conversationId = await service.talkBetween('anna', 'bert');
  await service.register('cleo');
  const brand = { brandId: 'shoes', name: 'Shoes', timeZone: 'Europe/Vienna' };
  await service.send('POST', '/v1/brands', { key: keys.admin, body: brand });
  const share = { ...moment, surface: 'feed' };
  shareId = String((await service.send('POST', '/v1/shares', { member, body: share })).body['shareId']);
});
afterAll(() => service.stop());

const member = 'anna';
const moment = { contentRef: { kind: 'video', contentId: 'c', creatorId: 'bert' } };
const product = {
  productRef: { productId: 'sneaker', brandId: 'shoes' },
  name: 'Sneaker',
  price: { amountMinor: 9900, currency: 'EUR' },
  available: true,
  sensitive: false,
};
const profile = { handle: 'a', displayName: 'A', ageBand: '18_plus', country: 'AT' };
function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

const cases: [what: string, code: string, status: number, method: string, path: string, sent: Sent][] = [
  ['malformed JSON', 'malformed-json', 400, 'POST', '/v1/moments', { member, raw: '{"contentRef": ' }],
  ['no body', 'invalid-body', 400, 'POST', '/v1/moments', { member }],
  ['an unknown field', 'unknown-field', 400, 'POST', '/v1/moments', { member, body: { ...moment, colour: 'red' } }],
  [
    'an unknown field further in',
    'unknown-field',
    400,
    'POST',
    '/v1/moments',
    { member, body: { contentRef: { ...moment.contentRef, colour: 'red' } } },
  ],
  [
    'half a character',
    'invalid-body',
    400,
    'POST',
    '/v1/moments',
    { member, raw: JSON.stringify({ ...moment, caption: '\ud800' }) },
  ],
  [
    'a text with U+0000',
    'invalid-body',
    400,
    'POST',
    '/v1/moments',
    { member, raw: JSON.stringify({ ...moment, caption: 'a\0' }) },
  ],
  ['a field __proto__', 'unknown-field', 400, 'POST', '/v1/moments', { member, raw: '{"__proto__": {"a": 1}}' }],
  ['a wrong type', 'invalid-body', 400, 'POST', '/v1/moments', { member, body: { ...moment, caption: 7 } }],
  ['a missing field', 'invalid-body', 400, 'POST', '/v1/moments', { member, body: {} }],
  ['a body over its limit', 'body-too-large', 413, 'POST', '/v1/moments', { member, raw: `"${'x'.repeat(20_001)}"` }],
  ['a body too deep', 'too-deep', 400, 'POST', '/v1/moments', { member, body: nested(depthMax + 1) }],
  [
    'another kind of body',
    'unsupported-media-type',
    415,
    'POST',
    '/v1/moments',
    { member, raw: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
  ],
  [
    'a compressed body',
    'unsupported-media-type',
    415,
    'POST',
    '/v1/moments',
    { member, body: moment, headers: { 'content-encoding': 'gzip' } },
  ],
  ['a batch over its limit', 'batch-too-large', 413, 'POST', '/v1/events', { body: Array(21).fill({}) }],
  ['a batch that is none', 'invalid-body', 400, 'POST', '/v1/events', { body: { id: 'x' } }],
  ['an id that is none', 'invalid-path', 400, 'DELETE', '/v1/moments/a_b', { member }],
  ['a path that cannot be decoded', 'invalid-path', 400, 'GET', '/v1/shares/%ff', { member }],
  ['a path with an endless id', 'invalid-path', 400, 'GET', `/v1/shares/${'x'.repeat(300)}`, { member }],
  ['a bad cursor', 'bad-cursor', 400, 'GET', '/v1/feed?cursor=nonsense', { member }],
  ['a bad limit', 'invalid-query', 400, 'GET', '/v1/feed?limit=0', { member }],
  ['a bad position', 'bad-position', 400, 'GET', '/v1/feed?minPosition=nonsense', { member }],
  ['an unknown route', 'not-found', 404, 'GET', '/v1/nothing', { member }],
  ['an unknown moment', 'moment-not-found', 404, 'DELETE', '/v1/moments/nothing', { member }],
  ['an unknown member', 'member-not-available', 404, 'PUT', '/v1/blocks/nobody', { member }],
  ['an unknown acting member', 'member-not-available', 404, 'POST', '/v1/moments', { member: 'nobody', body: moment }],
  [
    'an unknown conversation',
    'conversation-not-found',
    404,
    'POST',
    '/v1/conversations/nothing/messages',
    { member, body: { body: 'hi' } },
  ],
  [
    'a product of an unknown brand',
    'brand-not-found',
    404,
    'POST',
    '/v1/products',
    { body: { ...product, productRef: { productId: 'x', brandId: 'nothing' } } },
  ],
  ['no key', 'missing-key', 401, 'POST', '/v1/moments', { key: undefined, member, body: moment }],
  ['a wrong key', 'wrong-key', 401, 'POST', '/v1/moments', { key: 'hk_app_wrong-wrong-wrong-wrong-wrong', member }],
  ['a key of no form', 'wrong-key', 401, 'POST', '/v1/moments', { key: 'secret', member, body: moment }],
  ['a key of another scope', 'missing-scope', 403, 'POST', '/v1/moments', { key: keys.analyst, member, body: moment }],
  [
    "another brand's key",
    'missing-scope',
    403,
    'POST',
    '/v1/products',
    { key: keys.brand, body: { ...product, productRef: { productId: 'x', brandId: 'hats' } } },
  ],
  ['an app key on the admin side', 'missing-scope', 403, 'GET', '/v1/keys', {}],
  [
    'dead letters of no projection',
    'not-found',
    404,
    'GET',
    '/v1/dead-letters?projection=nothing',
    { key: keys.admin },
  ],
  ['a retry of no projection', 'not-found', 404, 'POST', '/v1/dead-letters/nothing/1/retry', { key: keys.admin }],
  ['no member', 'member-required', 400, 'POST', '/v1/moments', { body: moment }],
  ['a member header that is no id', 'invalid-header', 400, 'POST', '/v1/moments', { member: 'a b', body: moment }],
  [
    'a brand without an agent',
    'agent-required',
    400,
    'POST',
    '/v1/brands/shoes/conversations/x/messages',
    { key: keys.brand, body: { body: 'hi' } },
  ],
  [
    'a stale revision',
    'stale-revision',
    409,
    'PATCH',
    '/v1/members/me/profile',
    { member, body: { displayName: 'Anna' }, headers: { 'if-match': '"7"' } },
  ],
  [
    'a revision where there is none',
    'invalid-header',
    400,
    'POST',
    '/v1/conversations/{talk}/messages',
    { member, body: { body: 'hi' }, headers: { 'if-match': '"0"' } },
  ],
  [
    'an empty idempotency key',
    'invalid-header',
    400,
    'PATCH',
    '/v1/members/me/profile',
    { member, body: { displayName: 'Anna' }, headers: { 'idempotency-key': '' } },
  ],
  [
    'a message of nothing but space',
    'empty-message',
    422,
    'POST',
    '/v1/conversations/{talk}/messages',
    { member, body: { body: ' \n' } },
  ],
  [
    'a link that has expired before it is made',
    'expiry-passed',
    422,
    'POST',
    '/v1/shares/{share}/link',
    { member, body: { expiresAt: '1999-01-01T00:00:00Z' } },
  ],
  [
    'time told without the scope',
    'missing-scope',
    403,
    'POST',
    '/v1/moments',
    { member, body: moment, headers: { 'homing-now': '2026-01-01T00:00:00Z' } },
  ],
  [
    'time told to the system clock',
    'import-clock-off',
    400,
    'POST',
    '/v1/moments',
    { key: keys.import, member, body: moment, headers: { 'homing-now': '2026-01-01T00:00:00Z' } },
  ],
  [
    'a request to oneself',
    'not-yourself',
    422,
    'POST',
    '/v1/friend-requests',
    { member, body: { toMemberId: member } },
  ],
  ['an answer to no request', 'no-open-request', 409, 'POST', '/v1/friend-requests/cleo/accept', { member }],
  ['a profile change of nothing', 'invalid-body', 400, 'PATCH', '/v1/members/me/profile', { member, body: {} }],
  [
    "somebody else's id",
    'member-exists',
    409,
    'POST',
    '/v1/members',
    { body: { ...profile, memberId: 'anna', country: 'DE' } },
  ],
];

describe('bad input', () => {
  it.each(cases)('%s: %s', async (_what, code, status, method, path, sent) => {
    const before = await service.countEvents();
    const place = path.replace('{talk}', conversationId).replace('{share}', shareId);
    const answer = await service.send(method, place, sent);
    expect(answer.body).toMatchObject({ code, status });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body['requestId']).toBe(answer.headers.get('x-request-id'));
    expect(await service.countEvents()).toBe(before);
  });

  it('is answered with the places that are wrong', async () => {
    const body = { ...moment, audience: 'everybody', caption: '' };
    const answer = await service.send('POST', '/v1/moments', { member, body });
    const errors = answer.body['errors'] as { pointer: string }[];
    expect(errors.map(({ pointer }) => pointer)).toEqual(['/caption', '/audience']);
  });

  it('never repeats a text that somebody wrote', async () => {
    const raw = '{"body": "our secret" oops}';
    const path = `/v1/conversations/${conversationId}/messages`;
    const answer = await service.send('POST', path, { member, raw });
    expect(answer.body['code']).toBe('malformed-json');
    expect(JSON.stringify(answer.body)).not.toContain('secret');
  });

  it('looks the same for a blocked, a blocking and an unknown member', async () => {
    await service.send('PUT', '/v1/blocks/anna', { member: 'cleo' });
    const ask = async (toMemberId: string) => {
      const { status, body } = await service.send('POST', '/v1/friend-requests', { member, body: { toMemberId } });
      const { requestId: _, ...told } = body;
      return { status, told };
    };
    expect(await ask('cleo')).toEqual(await ask('nobody'));
  });

  /** Bytes as they are, and all that comes back. */
  function wire(...parts: (string | Buffer)[]): Promise<string> {
    const { hostname, port } = new URL(service.url);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname);
      let answer = '';
      socket.setEncoding('utf8');
      socket.on('data', (text: string) => {
        answer += text;
      });
      socket.on('close', () => resolve(answer));
      socket.on('error', reject);
      for (const part of parts) socket.write(part);
    });
  }
  const head = (more: string) =>
    `POST /v1/moments HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${keys.app}\r\n` +
    `Homing-Member: anna\r\nContent-Type: application/json\r\n${more}\r\n`;

  it('of bytes that are not UTF-8 is refused, not mended', async () => {
    const before = await service.countEvents();
    const body = Buffer.from(JSON.stringify({ ...moment, caption: 'über' }), 'latin1');
    const answer = await wire(head(`Content-Length: ${body.length}\r\n`), body);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('"code":"malformed-json"');
    expect(await service.countEvents()).toBe(before);
  });

  it.each([
    ['no HTTP', 'secret\r\n\r\n', 400, 'malformed-http'],
    ['two lengths', head('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'), 400, 'malformed-http'],
    ['a length that is none', head('Content-Length: secret\r\n'), 400, 'malformed-http'],
    ['a path of other bytes', 'GET /\u00ff HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'malformed-http'],
    ['headers without end', head(`X-Big: ${'secret'.repeat(4_000)}\r\n`), 431, 'headers-too-large'],
  ])('on the wire, %s', async (_what, bytes, status, code) => {
    const answer = await wire(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toContain('content-type: application/problem+json');
    expect(answer).toContain(`"code":"${code}"`);
    expect(answer).not.toContain('secret');
  });
});
