// Rows are made of the event alone: every event of the catalogue has rows or is known to have none, nothing personal is
// among them, and the tables hold just the columns that are written.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { commerceFacts } from '../../projections/commerce.facts.js';
import { eventFacts } from '../../projections/event-facts.rows.js';
import { factColumns } from '../../projections/fact-row.js';
import { sharingFacts } from '../../projections/sharing.facts.js';
import { eventCatalog } from '../../src/domain/catalog.js';
import type { OrderCommand } from '../../src/domain/order/order.commands.js';
import { type OrderState, orderDecider } from '../../src/domain/order/order.decider.js';
import type { OrderEvent } from '../../src/domain/order/order.events.js';
import type { ThreadEvent } from '../../src/domain/thread/thread.events.js';
import type { TouchRef } from '../../src/domain/vocabulary.js';
import { decodeHidden } from '../../src/event-log/codec.js';
import type { DataOf, RecordedEvent } from '../../src/kernel/message.js';
import { personalFields } from '../../src/kernel/personal.js';
import type { AnyEvent } from '../../src/kernel/projection.js';
import { ChunkBuilder } from '../../src/projector/clickhouse/chunk/chunk.js';
import { rowText } from '../../src/projector/clickhouse/chunk/row-text.js';
import { factSource as source } from '../../src/service/fact-source.js';
import { Story, t0 } from '../given.js';
import { history, newEvent } from './history.js';

/** What people write and set for themselves, and what is counted elsewhere: as a view or as a link's open. */
const withoutRows = [
  'ShareOpened',
  'MemberProfileChanged',
  'PrivacySettingsChanged',
  'MemberBlocked',
  'MemberUnblocked',
  'MomentReactionRemoved',
  'ConversationRequestAccepted',
  'ConversationRequestDeclined',
  'MomentDeleted',
];

function eventsOf(seed: number): readonly RecordedEvent[] {
  const events = history({ seed, people: 10, steps: 200, from: '2026-01-25T00:00:00.000Z', days: 12 });
  return events.map((event, index) =>
    decodeHidden({
      ...newEvent(event, index),
      stream: event.stream,
      revision: index,
      position: BigInt(index + 1),
      recordedAt: 0,
    }),
  );
}

describe('the rows of events', () => {
  it('every event type has rows, or is known to have none', () => {
    const types = Object.keys(eventCatalog).sort();
    expect([...Object.keys(eventFacts.on), ...withoutRows].sort()).toEqual(types);
  });

  it('no row has a personal field of its event', () => {
    const secret = 'a secret that nobody else may read';
    for (const event of eventsOf(1)) {
      const schema = eventCatalog[event.type];
      const personal = schema ? [...personalFields(schema).keys()] : [];
      const spiked = {
        ...event,
        data: { ...(event.data as object), ...Object.fromEntries(personal.map((name) => [name, secret])) },
      };
      const rows = eventFacts.on[event.type]?.(spiked) ?? [];
      expect(
        JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
      ).not.toContain(secret);
    }
  });

  it('the same event gives the same rows, and only columns that exist', () => {
    const columns = new Set(eventFacts.columns);
    for (const event of eventsOf(2)) {
      const rows = eventFacts.on[event.type]?.(event) ?? [];
      expect(eventFacts.on[event.type]?.(structuredClone(event))).toEqual(rows);
      for (const [index, row] of rows.entries()) {
        expect(Object.keys(row).filter((name) => !columns.has(name))).toEqual([]);
        expect(row).toMatchObject({ log_position: event.position, event_id: event.id, row_number: index });
      }
    }
  });

  it('the table has the columns that are written, in their order, and the chunk after them', () => {
    const sql = readFileSync(new URL('../../projections/clickhouse/001_event_facts.sql', import.meta.url), 'utf8');
    const columns = [...sql.matchAll(/^ {2}([a-z_]+) +(?:[A-Z]\w+)/gm)].map((match) => match[1]);
    expect(columns).toEqual([...eventFacts.columns, 'chunk']);
  });

  it('an order is its items and its total; a refund is negative', () => {
    const orders = eventsOf(3).filter(({ type }) => type === 'PurchaseCompleted' || type === 'PurchaseRefunded');
    expect(orders.length).toBeGreaterThan(0);
    for (const event of orders) {
      const rows = eventFacts.on[event.type]?.(event) ?? [];
      const [whole, ...items] = rows;
      const sign = event.type === 'PurchaseCompleted' ? 1 : -1;
      expect(Number(whole?.['amount_minor']) * sign).toBeGreaterThan(0);
      expect(items).toHaveLength((event.data as { items: unknown[] }).items.length);
      for (const item of items) expect(Number(item['net_minor']) * sign).toBeGreaterThan(0);
    }
  });

  it('a message is its length, whether it has a link and what kinds of things it carries', () => {
    const messages = eventsOf(2).filter(({ type }) => type === 'MessageSent');
    const kinds = new Set<string>();
    for (const event of messages) {
      const [message, ...cards] = eventFacts.on['MessageSent']?.(event) ?? [];
      const { bodyMeta } = event.data as DataOf<ThreadEvent, 'MessageSent'>;
      const { body_graphemes, body_has_link, media_kinds } = message ?? {};
      expect([body_graphemes, body_has_link]).toEqual([bodyMeta.graphemes, bodyMeta.hasLink]);
      expect(media_kinds).toEqual(cards.length > 0 ? ['product_card'] : []);
      kinds.add(String(media_kinds));
    }
    expect(kinds.size).toBe(2);
  });
});

const storedEvent = (name: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/events/${name}.json`, import.meta.url), 'utf8')) as AnyEvent;

describe('the way to a purchase', () => {
  it.each(['ProductViewed', 'ProductAskedAbout', 'ProductAddedToCart', 'CheckoutStarted', 'PurchaseCompleted'])(
    'keeps what led to %s, in every row of it',
    (type) => {
      const event = storedEvent(type);
      const { ledBy } = event.data as { ledBy: TouchRef };
      const touch = { kind: ledBy.kind, id: ledBy.touchId, ref: ledBy.ref, interaction: ledBy.interaction };
      for (const row of commerceFacts[type]?.(event) ?? []) {
        expect({
          kind: row.touch_kind,
          id: row.touch_id,
          ref: row.touch_ref,
          interaction: row.touch_interaction,
        }).toEqual(touch);
      }
      expect(ledBy.kind).toMatch(/./);
    },
  );

  it('names the cart and the checkout, so that an order is joined to its cart', () => {
    const [checkout] = commerceFacts['CheckoutStarted']?.(storedEvent('CheckoutStarted')) ?? [];
    const { cartId, checkoutId } = storedEvent('CheckoutStarted').data as { cartId: string; checkoutId: string };
    expect([checkout?.cart_id, checkout?.checkout_id]).toEqual([cartId, checkoutId]);
    const order = commerceFacts['PurchaseCompleted']?.(storedEvent('PurchaseCompleted')) ?? [];
    const data = storedEvent('PurchaseCompleted').data as { checkoutId: string };
    for (const row of order) expect(row.checkout_id).toBe(data.checkoutId);
    const [removed] = commerceFacts['ProductRemovedFromCart']?.(storedEvent('ProductRemovedFromCart')) ?? [];
    expect(removed?.cart_id).toMatch(/./);
  });
});

describe('the worth in the reports’ currency', () => {
  it.each([
    ['PurchaseCompleted.first', 108],
    ['PurchaseRefunded.reporting', -550],
  ])('of %s stands once, at the whole, in the direction of the money', (name, worth) => {
    const event = storedEvent(name);
    const [whole, ...items] = commerceFacts[event.type]?.(event) ?? [];
    expect([whole?.reporting_minor, whole?.reporting_currency]).toEqual([worth, 'USD']);
    expect(items.map((item) => [item.reporting_minor, item.reporting_currency])).toEqual([[undefined, undefined]]);
  });
  it('is nothing where the shop says none', () => {
    const [whole] = commerceFacts['PurchaseRefunded']?.(storedEvent('PurchaseRefunded')) ?? [];
    expect([whole?.reporting_minor, whole?.reporting_currency]).toEqual([undefined, undefined]);
  });
});

describe('the place of a share', () => {
  it('is told twice: with what was inferred, and by named parents alone, which is the same where all are named', () => {
    const [inferred] = sharingFacts['ShareInitiated']?.(storedEvent('ShareInitiated.inferred')) ?? [];
    expect(inferred).toMatchObject({ root_share_id: 'share-0', depth: 2, parent_evidence: 'window' });
    expect(inferred).toMatchObject({ explicit_root_id: 'share-2', explicit_depth: 0 });
    const [completed] = sharingFacts['ShareCompleted']?.(storedEvent('ShareCompleted.in-app')) ?? [];
    const { root_share_id, depth } = completed ?? {};
    expect(completed).toMatchObject({ explicit_root_id: root_share_id, explicit_depth: depth });
  });
});

describe('an order given back', () => {
  const productRef = { productId: 'shoe', brandId: 'acme' };
  const place = {
    orderId: 'order-1',
    memberId: 'ann',
    brandId: 'acme',
    sourceSystem: 'native',
    items: [{ productRef, quantity: 2, unitPriceMinor: 5_000, discountMinor: 1_000, taxMinor: 901 }],
    shippingMinor: 490,
    currency: 'EUR',
  } as const;
  const netOf = (told: Story<OrderCommand, OrderEvent, OrderState>): number =>
    told.events
      .flatMap((event) => commerceFacts[event.type]?.(event as unknown as AnyEvent) ?? [])
      .reduce((sum, row) => sum + Number(row.net_minor ?? 0), 0);

  it('whole, with its tax and its shipping, is no revenue; in part, what was kept', () => {
    const told = new Story(orderDecider);
    told.carryOut({ type: 'PlaceOrder', now: t0, data: { ...place, items: [...place.items] } });
    const back = (refundId: string, amountMinor: number, shippingMinor?: number) =>
      told.carryOut({
        type: 'RefundOrder',
        now: t0,
        data: { refundId, orderId: 'order-1', items: [{ productRef, quantity: 1, amountMinor }], shippingMinor },
      });
    expect(netOf(told)).toBe(9_000);
    back('half', 4_950);
    expect(netOf(told)).toBe(4_500);
    back('rest', 4_951, 490);
    expect(netOf(told)).toBe(0);
  });
});

describe('the text of rows', () => {
  const line = rowText(factColumns);

  it('property: whatever an id or a word holds, a line stays one line with all its columns', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 20 }),
        fc.array(fc.string(), { maxLength: 3 }),
        (text, texts) => {
          const written = line({ log_position: 1n, event_id: 'u', details: text, recipient_ids: texts });
          expect(written.split('\n')).toHaveLength(1);
          expect(written.split('\t')).toHaveLength(eventFacts.columns.length);
        },
      ),
    );
  });

  it('property: a chunk is the same wherever the pages of the log were cut', () => {
    const events = eventsOf(4);
    const whole = new ChunkBuilder(source, 0n);
    for (const event of events) whole.add(event);
    const wanted = whole.build();
    const text = (chunk: typeof wanted) =>
      chunk?.parts.map(({ pieces }) => Buffer.concat([...pieces]).toString('utf8'));
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), (passes) => {
        const builder = new ChunkBuilder(source, 0n);
        for (const [index, event] of events.entries()) {
          builder.add(event);
          // Events that make no rows come between.
          if (passes[index % passes.length]) builder.pass(event.position);
        }
        expect(text(builder.build())).toEqual(text(wanted));
      }),
      { numRuns: 10 },
    );
  });
});
