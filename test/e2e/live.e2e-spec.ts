// Live updates: what concerns a member is told as it happens, to nobody else, and a stream that broke off goes on.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keys, RunningService } from './running-service.js';

interface Told {
  readonly type: string;
  readonly id: string;
  readonly data: Readonly<Record<string, string>>;
}

/** A reader of one stream, as a browser's would be. */
class Stream {
  private readonly events: Told[] = [];
  private wake: () => void = () => undefined;
  private readonly stop = new AbortController();
  ended: Promise<void> = Promise.resolve();

  private constructor() {}

  static async open(service: RunningService, member: string, lastEventId?: string): Promise<Stream> {
    const stream = new Stream();
    const response = await fetch(`${service.url}/v1/live`, {
      headers: {
        authorization: `Bearer ${keys.app}`,
        'homing-member': member,
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
      signal: stream.stop.signal,
    });
    if (!response.ok || !response.body) throw new Error(`${response.status}`);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    stream.ended = stream.read(response.body).catch(() => undefined);
    return stream;
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<void> {
    let text = '';
    for await (const bytes of body) {
      text += Buffer.from(bytes).toString('utf8');
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const fields = Object.fromEntries(
          text
            .slice(0, end)
            .trim()
            .split('\n')
            .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
        );
        text = text.slice(end + 2);
        if (fields['event'] === undefined) continue;
        this.events.push({ type: fields['event'], id: fields['id'] ?? '', data: JSON.parse(fields['data'] ?? '{}') });
        this.wake();
      }
    }
  }

  /** The next event of this type, whatever came before. */
  async next(type: string): Promise<Told> {
    for (;;) {
      const at = this.events.findIndex((event) => event.type === type);
      if (at >= 0) return this.events.splice(0, at + 1).at(-1) as Told;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
  get types(): readonly string[] {
    return this.events.map(({ type }) => type);
  }
  close(): void {
    this.stop.abort();
  }
}

let service: RunningService;
let conversationId: string;
beforeAll(async () => {
  service = await RunningService.start();
  conversationId = await service.talkBetween('anna', 'bert');
  await service.register('carl');
  // The read models of a new service are there in a moment; until then a stream is answered 503.
  while ((await service.send('GET', '/v1/friends', { member: 'carl' })).status === 503) await sleep(20);
}, 60_000);
afterAll(() => service.stop());

const write = (member: string, body: string) =>
  service.send('POST', `/v1/conversations/${conversationId}/messages`, { member, body: { body } });

/** Every stream begins to tell once it has looked; what is written until it tells is written again. */
async function untilTold(stream: Stream, act: () => Promise<unknown>, type: string): Promise<Told> {
  for (;;) {
    await act();
    const told = await Promise.race([stream.next(type), sleep(500)]);
    if (told) return told;
  }
}

describe('GET /v1/live', () => {
  it('tells a message to both who talk, with the position to read it at, and to nobody else', async () => {
    const [anna, bert, carl] = await Promise.all(
      ['anna', 'bert', 'carl'].map((member) => Stream.open(service, member)),
    );
    const told = await untilTold(anna as Stream, () => write('bert', 'hello'), 'conversation');
    expect(told.data['subjectId']).toBe(conversationId);
    await untilTold(bert as Stream, () => write('bert', 'hello'), 'conversation');
    const headers = { 'homing-position': String(told.data['position']) };
    const inbox = await service.send('GET', '/v1/inbox', { member: 'anna', headers });
    expect(inbox.body).toMatchObject({ stale: false, items: [{ lastMessage: { preview: 'hello' } }] });
    expect((carl as Stream).types).toEqual([]);
    for (const stream of [anna, bert, carl]) stream?.close();
  });

  it('tells friends of a moment, and strangers not', async () => {
    const [bert, carl] = await Promise.all(['bert', 'carl'].map((member) => Stream.open(service, member)));
    const publish = () =>
      service.send('POST', '/v1/moments', {
        member: 'anna',
        body: { contentRef: { kind: 'text', contentId: 'c1', creatorId: 'anna' } },
      });
    const told = await untilTold(bert as Stream, publish, 'moment');
    const headers = { 'homing-position': String(told.data['position']) };
    const feed = await service.send('GET', '/v1/feed', { member: 'bert', headers });
    const ids = (feed.body['items'] as { moment: { momentId: string } }[]).map(({ moment }) => moment.momentId);
    expect(ids).toContain(told.data['subjectId']);
    expect((carl as Stream).types).toEqual([]);
    for (const stream of [bert, carl]) stream?.close();
  });

  it('goes on after the last event that was seen, and says when it cannot', async () => {
    const first = await Stream.open(service, 'anna');
    const { id } = await untilTold(first, () => write('bert', 'one'), 'conversation');
    first.close();
    await write('bert', 'two');
    const second = await Stream.open(service, 'anna', id);
    expect((await second.next('conversation')).data['subjectId']).toBe(conversationId);
    expect(second.types).not.toContain('reset');
    second.close();
    const lost = await Stream.open(service, 'anna', 'no-such-event');
    await lost.next('reset');
    lost.close();
  });

  it('does not keep a service from stopping', async () => {
    const stream = await Stream.open(service, 'anna');
    await untilTold(stream, () => write('bert', 'last'), 'conversation');
    await service.restart();
    await expect(stream.ended).resolves.toBeUndefined();
  });
});
