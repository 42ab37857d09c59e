// The same command sent twice, at the same time, and over a restart: one change, the same answer.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, RunningService } from './running-service.js';

let service: RunningService;
let conversationId: string;

beforeAll(async () => {
  service = await RunningService.start();
  conversationId = await service.talkBetween('anna', 'bert');
});
afterAll(() => service.stop());

function say(body: unknown, idempotencyKey: string): Promise<Answer> {
  return service.send('POST', `/v1/conversations/${conversationId}/messages`, { member: 'anna', body, idempotencyKey });
}

describe('a repeated command', () => {
  it('changes the state once and gets the same answer twice', async () => {
    const before = await service.countEvents();
    const first = await say({ body: 'hello' }, 'one');
    const again = await say({ body: 'hello' }, 'one');
    expect(first.status).toBe(201);
    expect(again.body).toEqual(first.body);
    expect(again.status).toBe(201);
    // A message, and the first time a key for the texts of its sender is there already (the display name made it).
    expect(await service.countEvents()).toBe(before + 1);
  });

  it('is carried out once when it arrives many times at the same time', async () => {
    const before = await service.countEvents();
    const answers = await Promise.all(Array.from({ length: 20 }, () => say({ body: 'at once' }, 'many')));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(await service.countEvents()).toBe(before + 1);
  });

  it('is known again after a restart', async () => {
    const first = await say({ body: 'before' }, 'restart');
    const before = await service.countEvents();
    await service.restart();
    const again = await say({ body: 'before' }, 'restart');
    expect(again.body).toEqual(first.body);
    expect(await service.countEvents()).toBe(before);
  });

  it('is refused with another body', async () => {
    await say({ body: 'this' }, 'reused');
    const before = await service.countEvents();
    const other = await say({ body: 'that' }, 'reused');
    expect(other.status).toBe(422);
    expect(other.body['code']).toBe('idempotency-key-reused');
    expect(await service.countEvents()).toBe(before);
  });

  it('is another command for another member or another target', async () => {
    const body = { body: 'same key' };
    const [anna, bert] = await Promise.all(
      ['anna', 'bert'].map((member) =>
        service.send('POST', `/v1/conversations/${conversationId}/messages`, {
          member,
          body,
          idempotencyKey: 'shared',
        }),
      ),
    );
    expect(anna?.body['messageId']).not.toBe(bert?.body['messageId']);
  });

  it('does not remember a refusal', async () => {
    await service.register('cleo');
    const body = { toMemberId: 'dora', origin: 'search' };
    const ask = () => service.send('POST', '/v1/friend-requests', { member: 'cleo', body, idempotencyKey: 'ask' });
    expect((await ask()).body['code']).toBe('member-not-available');
    await service.register('dora');
    const asked = await ask();
    expect(asked.body).toMatchObject({ state: 'requested', requestId: expect.any(String) });
    expect((await ask()).body).toEqual(asked.body);
  });

  it('that made a share and a message makes neither again', async () => {
    const contentRef = { kind: 'video', contentId: 'clip', creatorId: 'bert' };
    const card = { attachments: [{ kind: 'share_card', contentRef }] };
    const before = await service.countEvents();
    const answers = await Promise.all(Array.from({ length: 5 }, () => say(card, 'card')));
    expect(answers[0]?.body).toMatchObject({ shareId: expect.any(String), seq: expect.any(Number) });
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    await service.restart();
    expect((await say(card, 'card')).body).toEqual(answers[0]?.body);
    // ShareInitiated, ShareCompleted, MessageSent.
    expect(await service.countEvents()).toBe(before + 3);
  });
});
