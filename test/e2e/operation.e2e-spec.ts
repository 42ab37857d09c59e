// What an operator and a newcomer look at: health, figures, the API's own description, limits, and the way it stops.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keys, RunningService } from './running-service.js';

let service: RunningService;
beforeAll(async () => {
  service = await RunningService.start({ HOMING_RATE_KEY_PER_SECOND_MAX: '40' });
  await service.register('anna');
});
afterAll(() => service.stop());

describe('without a key', () => {
  it('the service says that it lives and what it is ready for', async () => {
    expect(await service.send('GET', '/health/live', { key: undefined })).toMatchObject({
      status: 200,
      body: { status: 'up' },
    });
    const ready = await service.send('GET', '/health/ready', { key: undefined });
    expect(ready.body['parts']).toMatchObject({ 'event-log': { status: 'up' } });
  });

  it('it gives its figures by route, never by path', async () => {
    await service.send('DELETE', '/v1/moments/some-moment', { member: 'anna' });
    const { body, headers } = await service.send('GET', '/metrics', { key: undefined });
    expect(headers.get('content-type')).toContain('text/plain');
    expect(body['text']).toMatch(
      /homing_http_request_duration_seconds_count\{method="DELETE",route="\/v1\/moments\/:momentId"/,
    );
    expect(body['text']).not.toContain('some-moment');
  });

  it('it describes its API', async () => {
    const { body } = await service.send('GET', '/openapi.json', { key: undefined });
    const paths = body['paths'] as Record<string, Record<string, { security?: object[]; requestBody?: object }>>;
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining([
        '/v1/members',
        '/v1/friend-requests/{otherMemberId}/accept',
        '/v1/conversations/{conversationId}/messages',
        '/v1/shares',
        '/v1/events',
        '/v1/feed',
      ]),
    );
    expect(paths['/v1/moments']?.['post']).toMatchObject({
      security: [{ bearer: [] }],
      requestBody: expect.anything(),
    });
    const page = await service.send('GET', '/docs', { key: undefined });
    expect(page.status).toBe(200);
    expect(page.body['text']).toContain('swagger');
  });

  it('it names the circumstances that a write may tell, at every write and nowhere else', async () => {
    const { body } = await service.send('GET', '/openapi.json', { key: undefined });
    type Route = { parameters?: { name: string; in: string }[]; responses: Record<string, { description?: string }> };
    const routes = Object.values(body['paths'] as Record<string, Record<string, Route>>).flatMap(Object.values<Route>);
    const told = ['Homing-Surface', 'Homing-Tz-Offset', 'Homing-Experiments', 'Homing-Session'];
    const namesOf = ({ parameters = [] }: Route) => parameters.filter(({ in: place }) => place === 'header');
    const tellsAll = (route: Route) => told.every((name) => namesOf(route).some((header) => header.name === name));
    const tellsNone = (route: Route) => told.every((name) => namesOf(route).every((header) => header.name !== name));
    const isWrite = ({ responses }: Route) => Object.values(responses).some((one) => one.description === 'Recorded.');
    expect(routes.filter(isWrite).length).toBeGreaterThan(30);
    expect(routes.filter(isWrite).every(tellsAll)).toBe(true);
    expect(routes.filter((route) => !isWrite(route)).every(tellsNone)).toBe(true);
  });

  it('it sets headers that keep browsers careful', async () => {
    const { headers } = await service.send('GET', '/health/live', { key: undefined });
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
  });
});

describe('limits', () => {
  it('hold a key to its requests per second, an importer to none', async () => {
    const burst = (key: string) =>
      Promise.all(Array.from({ length: 120 }, () => service.send('GET', '/v1/keys', { key })));
    const limited = (await burst(keys.app)).filter(({ status }) => status === 429);
    expect(limited.length).toBeGreaterThan(0);
    expect(limited[0]?.body).toMatchObject({ code: 'rate-limited' });
    expect(Number(limited[0]?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await burst(keys.import)).filter(({ status }) => status === 429)).toEqual([]);
  });
});

describe('told to stop', () => {
  it('the service lets what is in flight finish and sends away what comes then', async () => {
    const moment = { contentRef: { kind: 'text', contentId: 'last', creatorId: 'anna' } };
    const inFlight = service.send('POST', '/v1/moments', { key: keys.import, member: 'anna', body: moment });
    // The request is on its way once its socket is there; then it is in flight for as long as the disk needs.
    await service.send('GET', '/health/live', { key: undefined });
    const stopped = service.parts.close();
    const late = await service.send('POST', '/v1/moments', { key: keys.import, member: 'anna', body: moment });
    expect(late).toMatchObject({ status: 503, body: { code: 'closing' } });
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await inFlight).status).toBe(201);
    await stopped;
    await expect(service.send('GET', '/health/live')).rejects.toMatchObject({ cause: { message: 'fetch failed' } });
  });
});
