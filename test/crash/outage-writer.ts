// Steady writes over HTTP at a bounded rate, whatever becomes of the service's stores: each is sent again with its key
// until it is acknowledged, and what was acknowledged is remembered by the id that the log must hold.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, send } from '../e2e/running-service.js';

const perSecond = 100;
/** A service that leaves so many requests without an answer has stopped taking writes. */
const openMax = 500;
const againMs = 200;
const couples = 8;
/** Every so many writes is an observation. */
const observationEvery = 4;

export interface Told {
  acknowledged: number;
  /** Answers that said "come again", and requests that came to no answer. */
  refused: number;
  /** Until it was acknowledged, refusals included, milliseconds. */
  slowestMs: number;
}

interface Couple {
  readonly member: string;
  readonly conversationId: string;
}

export class SteadyWriter {
  readonly messages = new Set<string>();
  readonly observations = new Set<string>();
  /** Of the last acknowledged write. */
  position = '';
  private told: Told = { acknowledged: 0, refused: 0, slowestMs: 0 };
  private readonly open = new Set<Promise<void>>();
  private ticking: NodeJS.Timeout | undefined;
  private written = 0;
  private fault: Error | undefined;

  private constructor(
    private readonly url: string,
    private readonly key: string,
    private readonly talks: readonly Couple[],
  ) {}

  /** Makes the people, who talk in pairs. */
  static async begin(url: string, key: string): Promise<SteadyWriter> {
    const write = async (path: string, body: unknown, member?: string) => {
      const answer = await send(url, 'POST', path, { key, body, ...(member === undefined ? {} : { member }) });
      if (answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
      return answer.body;
    };
    const talks: Couple[] = [];
    for (let couple = 0; couple < couples; couple += 1) {
      const [member, friend] = [`member-${couple}`, `friend-${couple}`];
      for (const memberId of [member, friend]) {
        const facts = { memberId, handle: memberId, displayName: memberId, ageBand: '18_plus', country: 'AT' };
        await write('/v1/members', facts);
      }
      await write('/v1/friend-requests', { toMemberId: friend }, member);
      await write(`/v1/friend-requests/${member}/accept`, undefined, friend);
      const talk = await write('/v1/conversations', { kind: 'direct', memberId: friend, origin: 'profile' }, member);
      talks.push({ member, conversationId: String(talk['conversationId']) });
    }
    const writer = new SteadyWriter(url, key, talks);
    writer.ticking = setInterval(() => writer.tick(), 1_000 / perSecond);
    return writer;
  }

  /** What happened since it was asked last. @throws Error when the service said something that no outage excuses */
  take(): Told {
    if (this.fault) throw this.fault;
    const { told } = this;
    this.told = { acknowledged: 0, refused: 0, slowestMs: 0 };
    return told;
  }

  /** No more writes; resolves when all that were begun are acknowledged. */
  async stop(): Promise<void> {
    clearInterval(this.ticking);
    await Promise.all(this.open);
    if (this.fault) throw this.fault;
  }

  private tick(): void {
    if (this.open.size >= openMax) {
      this.fault ??= new Error(`${openMax} writes wait for an answer: the service takes none`);
      return;
    }
    const number = this.written;
    this.written += 1;
    const began = performance.now();
    const writing = this.write(number)
      .then(() => {
        this.told.acknowledged += 1;
        this.told.slowestMs = Math.max(this.told.slowestMs, performance.now() - began);
      })
      .catch((error: unknown) => {
        this.fault ??= error as Error;
      })
      .finally(() => this.open.delete(writing));
    this.open.add(writing);
  }

  private async write(number: number): Promise<void> {
    const isObservation = number % observationEvery === 0;
    const { member, conversationId } = this.talks[number % this.talks.length] as Couple;
    const path = isObservation ? '/v1/events' : `/v1/conversations/${conversationId}/messages`;
    const body = isObservation ? [view(number, member)] : { body: `message ${number}` };
    const { body: answer } = await this.untilTaken(path, { body, member, idempotencyKey: `write-${number}` });
    if (isObservation) this.observations.add(`view-${number}`);
    else this.messages.add(String(answer['messageId']));
    this.position = String(answer['position']);
  }

  private async untilTaken(
    path: string,
    sent: { readonly body: unknown; readonly member: string; readonly idempotencyKey: string },
  ): Promise<Answer> {
    for (;;) {
      const answer = await send(this.url, 'POST', path, { key: this.key, ...sent }).catch(() => undefined);
      if (answer && answer.status < 300) return answer;
      if (answer && answer.status !== 503) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      this.told.refused += 1;
      if (this.fault) throw this.fault;
      await sleep(againMs);
    }
  }
}

function view(number: number, memberId: string): object {
  const contentRef = { kind: 'video', contentId: `clip-${number % 50}`, creatorId: 'member-0' };
  const data = { viewId: `view-${number}`, memberId, contentRef, surface: 'feed', dwellMs: 1_000 };
  const time = new Date().toISOString();
  return { specversion: '1.0', id: `view-${number}`, source: 'device', type: 'ContentViewed', time, data };
}
