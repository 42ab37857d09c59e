// The timers' document and the deciders tell the same time: what is due there is what a decider has to say, and a hand
// that acts on it leaves nothing behind, whatever people did.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { timers } from '../../projections/timers.document.js';
import { friendshipDecider } from '../../src/domain/friendship/friendship.decider.js';
import { intentDecider } from '../../src/domain/intent/intent.decider.js';
import type { AbandonmentDelays } from '../../src/domain/intent/intent.events.js';
import { shareDecider } from '../../src/domain/share/share.decider.js';
import type { LogEvent } from '../../src/event-log/event-log.js';
import { addMs, dayMs, minuteMs, toIso, toMs } from '../../src/kernel/clock.js';
import type { Command, DomainEvent } from '../../src/kernel/message.js';
import { Rejection } from '../../src/kernel/rejection.js';
import { decodeTimer, dueKey, type Timer } from '../../src/kernel/timer.js';
import type { DocumentRunner } from '../../src/projector/fold/document-runner.js';
import { decodePage } from '../../src/projector/fold/page.js';
import { MemorySink } from '../../src/projector/sinks/memory-sink.js';
import { anyDelays } from '../any-delays.js';
import { Story, stored, t0 } from '../given.js';
import { plainDecoder, runnerOf } from '../projector/support.js';
import { usualDelays } from '../usual-settings.js';

const productRef = { productId: 'shoe', brandId: 'acme' };
const shopping = { memberId: 'ann', productRef, sourceSystem: 'native' } as const;
const unitPrice = { amountMinor: 4_999, currency: 'EUR' };
const contentRef = { kind: 'video', contentId: 'clip-1', creatorId: 'cleo' } as const;
const adult = { registered: true, ageBand: '18_plus', registeredAt: '2025-01-01T00:00:00.000Z' } as const;
const pair = { byMemberId: 'bob', otherMemberId: 'ann' };

type AnyStory = Story<Command, DomainEvent, unknown>;
const story = (decider: unknown) => new Story(decider as never) as unknown as AnyStory;

/** A pair, a share and a shopper in one log, with the hand of the timers. */
class World {
  readonly streams: Record<string, AnyStory>;
  private sink = new MemorySink();
  private runner: DocumentRunner;
  private readonly log: LogEvent[] = [];
  private readonly told = new Map<string, number>();
  private position = 0n;

  constructor(delays: AbandonmentDelays) {
    this.streams = {
      'friendship-ann_bob': story(friendshipDecider),
      'share-share-1': story(shareDecider),
      'intent-ann_shoe': story(intentDecider(delays)),
    };
    this.runner = runnerOf(timers(delays), this.sink);
  }

  async start(): Promise<void> {
    await this.runner.open();
    await this.runner.begin();
  }

  /** The deployment starts again with other delays: the document is folded anew, the streams are as they are. */
  async restart(delays: AbandonmentDelays): Promise<void> {
    this.sink = new MemorySink();
    this.runner = runnerOf(timers(delays), this.sink);
    await this.start();
    await this.toDocument(this.log);
    const { state, events, times } = this.streams['intent-ann_shoe'] as AnyStory;
    const goesOn = story(intentDecider(delays));
    goesOn.state = state;
    goesOn.events.push(...events);
    goesOn.times.push(...times);
    this.streams['intent-ann_shoe'] = goesOn;
  }

  private logEvent(
    stream: string,
    revision: number,
    { type, data }: DomainEvent,
    at: string,
    receivedAt: string,
  ): LogEvent {
    this.position += 7n;
    const metadata = { occurredAt: at, receivedAt };
    return {
      id: `event-${this.position}`,
      stream,
      revision,
      position: this.position,
      recordedAt: 0,
      type,
      contentType: 'application/json',
      data: Buffer.from(JSON.stringify(data)),
      metadata: Buffer.from(JSON.stringify(metadata)),
    };
  }

  private async fold(events: readonly LogEvent[]): Promise<void> {
    this.log.push(...events);
    await this.toDocument(events);
  }

  private async toDocument(events: readonly LogEvent[]): Promise<void> {
    const page = await decodePage(events, plainDecoder, (type) => this.runner.wants(type));
    await this.runner.fold(page, this.runner.position);
  }

  /** What the streams have said since the last time goes to the document. */
  private async publish(now: string): Promise<void> {
    for (const [stream, { events, times }] of Object.entries(this.streams)) {
      const from = this.told.get(stream) ?? 0;
      const fresh = events.slice(from).map((event, index) => {
        const revision = from + index;
        return this.logEvent(stream, revision, stored(event), times[revision] as string, now);
      });
      await this.fold(fresh);
      this.told.set(stream, events.length);
    }
  }

  async view(occurredAt: string, receivedAt: string): Promise<void> {
    const event = { type: 'ProductViewed', data: shopping };
    await this.fold([this.logEvent('observations-00', Number(this.position), event, occurredAt, receivedAt)]);
  }

  async carryOut(stream: string, command: Command): Promise<void> {
    try {
      this.streams[stream]?.carryOut(command);
    } catch (error) {
      if (!(error instanceof Rejection)) throw error;
    }
    await this.publish(command.now);
  }

  due(): { readonly timer: Timer; readonly dueMs: number }[] {
    const members = (this.sink.all().get(dueKey) ?? []) as [string, number][];
    return members.map(([member, dueMs]) => ({ timer: decodeTimer(member), dueMs }));
  }

  /** Acts on one timer as the hand does. Gives back whether anything came of it. */
  async act({ timer, dueMs }: { readonly timer: Timer; readonly dueMs: number }): Promise<boolean> {
    const now = toIso(dueMs);
    const stream =
      timer[0] === 'friendship' ? 'friendship-ann_bob' : timer[0] === 'share' ? 'share-share-1' : 'intent-ann_shoe';
    const told = this.streams[stream] as AnyStory;
    const before = told.events.length;
    if (timer[0] === 'browse') {
      const data = { memberId: timer[1], productRef: timer[2], lastViewedAt: timer[3] };
      told.carryOut({ type: 'AbandonBrowse', data, now });
    } else told.tick(now);
    await this.publish(now);
    return told.events.length > before;
  }

  async actUntil(nowMs: number): Promise<void> {
    for (;;) {
      const [next] = this.due();
      if (!next || next.dueMs > nowMs) return;
      expect(await this.act(next)).toBe(true);
    }
  }

  /** As the hand that passes over what it has tried in vain. */
  async tryUntil(nowMs: number): Promise<void> {
    const spent = new Set<string>();
    for (;;) {
      const next = this.due().find((due) => due.dueMs <= nowMs && !spent.has(JSON.stringify(due)));
      if (!next) return;
      if (!(await this.act(next))) spent.add(JSON.stringify(next));
    }
  }
}

const share = { shareId: 'share-1', sharerId: 'ann' };
const steps: Readonly<Record<string, (world: World, now: string, number: number) => Promise<void>>> = {
  view: (world, now) => world.view(now, now),
  'late view': (world, now) => world.view(addMs(now, -6 * 60 * minuteMs), now),
  ask: (world, now, number) =>
    world.carryOut('intent-ann_shoe', {
      type: 'AskAboutProduct',
      now,
      data: { ...shopping, questionId: `q-${number}`, context: 'card' },
    }),
  add: (world, now) =>
    world.carryOut('intent-ann_shoe', {
      type: 'AddToCart',
      now,
      data: { ...shopping, cartId: 'cart-1', quantity: 1, unitPrice },
    }),
  'take out': (world, now) =>
    world.carryOut('intent-ann_shoe', {
      type: 'RemoveFromCart',
      now,
      data: { memberId: 'ann', productRef, cartId: 'cart-1', quantity: 1 },
    }),
  'check out': (world, now, number) =>
    world.carryOut('intent-ann_shoe', {
      type: 'StartCheckout',
      now,
      data: { ...shopping, cartId: 'cart-1', checkoutId: `c-${number}`, quantity: 1, unitPrice },
    }),
  buy: (world, now, number) =>
    world.carryOut('intent-ann_shoe', {
      type: 'CloseIntent',
      now,
      data: { memberId: 'ann', productRef, orderId: `o-${number}` },
    }),
  request: (world, now, number) =>
    world.carryOut('friendship-ann_bob', {
      type: 'SendFriendRequest',
      now,
      data: {
        requestId: `r-${number}`,
        fromMemberId: 'ann',
        toMemberId: 'bob',
        origin: 'search',
        from: adult,
        to: adult,
      },
    }),
  accept: (world, now) => world.carryOut('friendship-ann_bob', { type: 'AcceptFriendRequest', now, data: pair }),
  decline: (world, now) => world.carryOut('friendship-ann_bob', { type: 'DeclineFriendRequest', now, data: pair }),
  unfriend: (world, now) => world.carryOut('friendship-ann_bob', { type: 'RemoveFriend', now, data: pair }),
  share: (world, now) =>
    world.carryOut('share-share-1', {
      type: 'InitiateShare',
      now,
      data: { ...share, contentRef, productRefs: [], surface: 'feed' },
    }),
  send: (world, now) =>
    world.carryOut('share-share-1', {
      type: 'CompleteShareOffPlatform',
      now,
      data: { ...share, destination: 'whatsapp', channelEvidence: 'declared' },
    }),
};

const anyHistory = fc.array(
  fc.tuple(fc.constantFrom(...Object.keys(steps)), fc.oneof(fc.nat(90), fc.nat(60 * 30), fc.nat(60 * 24 * 20))),
  { maxLength: 25 },
);

describe.each([
  ['the usual delays', fc.constant(usualDelays)],
  ['any delays', anyDelays],
])('timers by %s', (_, delays) => {
  it('are due exactly when a decider has something to say', () =>
    fc.assert(
      fc.asyncProperty(anyHistory, delays, async (history, chosen) => {
        const world = new World(chosen);
        await world.start();
        let now = t0;
        for (const [number, [what, minutes]] of history.entries()) {
          await steps[what]?.(world, now, number);
          for (const [stream, decider] of [
            ['friendship-ann_bob', friendshipDecider],
            ['share-share-1', shareDecider],
            ['intent-ann_shoe', intentDecider(chosen)],
          ] as const) {
            const { state } = world.streams[stream] as AnyStory;
            const kind = stream.split('-')[0];
            const dues = world.due().filter(({ timer }) => timer[0] === kind);
            expect(dues.length).toBeLessThanOrEqual(1);
            const dueAt = (at: string) =>
              (decider.due as (state: unknown, now: string) => readonly unknown[])(state, at);
            const [due] = dues;
            if (due) expect(dueAt(toIso(due.dueMs - 1))).toEqual([]);
            if (due) expect(dueAt(toIso(due.dueMs)).length).toBeGreaterThan(0);
            else expect(dueAt(addMs(now, 400 * dayMs))).toEqual([]);
          }
          now = addMs(now, minutes * minuteMs);
        }
      }),
      { numRuns: 150 },
    ));

  it('lead to something each, and leave nothing behind, when the hand is in time', () =>
    fc.assert(
      fc.asyncProperty(anyHistory, delays, async (history, chosen) => {
        const world = new World(chosen);
        await world.start();
        let now = t0;
        for (const [number, [what, minutes]] of history.entries()) {
          await world.actUntil(toMs(now));
          await steps[what]?.(world, now, number);
          now = addMs(now, minutes * minuteMs);
        }
        await world.actUntil(toMs(addMs(now, 400 * dayMs)));
        expect(world.due()).toEqual([]);
      }),
      { numRuns: 150 },
    ));
});

describe('timers after a change of the delays', () => {
  it('tell of open journeys by the new ones, each stage once, and leave nothing behind', () =>
    fc.assert(
      fc.asyncProperty(anyHistory, anyHistory, anyDelays, anyDelays, async (before, after, old, chosen) => {
        const world = new World(old);
        await world.start();
        let now = t0;
        const live = async (history: typeof before, from: number) => {
          for (const [number, [what, minutes]] of history.entries()) {
            await world.tryUntil(toMs(now));
            await steps[what]?.(world, now, from + number);
            now = addMs(now, minutes * minuteMs);
          }
        };
        await live(before, 0);
        await world.restart(chosen);
        await live(after, before.length);
        await world.tryUntil(toMs(addMs(now, 400 * dayMs)));
        expect(world.due()).toEqual([]);
        const told = (world.streams['intent-ann_shoe'] as AnyStory).events.filter(
          ({ type }) => type === 'PurchaseIntentAbandoned',
        );
        const stages = told.map(({ data }) => {
          const { intentId, stage } = data as { intentId: string; stage: string };
          return `${intentId} ${stage}`;
        });
        expect(new Set(stages).size).toBe(stages.length);
      }),
      { numRuns: 150 },
    ));
});
