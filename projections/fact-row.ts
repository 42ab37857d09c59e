// The columns of the one wide fact table, and what every row has whatever its event: written once, here. A row names
// only the columns it has something to say about; the rest is the type's empty value.
import type { DomainEvent } from '../src/kernel/message.js';
import type { AnyEvent, Row, RowValue } from '../src/kernel/projection.js';

/** How a column is stored. Texts with few different values are `word`s (dictionary-coded), ids are `text`. */
export type ColumnType = 'position' | 'number' | 'amount' | 'flag' | 'instant' | 'uuid' | 'text' | 'word' | 'texts';

/** In the order of the insert; the table in clickhouse/001_event_facts.sql has the same, and `chunk` after them. */
export const factColumns = {
  log_position: 'position',
  row_number: 'number',
  event_id: 'uuid',
  fact: 'word',
  occurred_at: 'instant',
  received_at: 'instant',
  source: 'word',
  platform: 'word',
  app_version: 'word',
  country: 'word',
  consent_analytics: 'flag',
  consent_brand: 'flag',
  member_id: 'text',
  anon_id: 'text',
  sender_id: 'text',
  sharer_id: 'text',
  recipient_ids: 'texts',
  surface: 'word',
  session_id: 'text',
  entry: 'word',
  duration_ms: 'number',
  content_id: 'text',
  content_kind: 'word',
  content_category: 'word',
  creator_id: 'text',
  share_id: 'text',
  parent_share_id: 'text',
  root_share_id: 'text',
  parent_evidence: 'word',
  depth: 'number',
  /** Root and depth by named parents alone: chains without what was inferred. */
  explicit_root_id: 'text',
  explicit_depth: 'number',
  destination_class: 'word',
  destination: 'word',
  channel_evidence: 'word',
  completion_known: 'flag',
  recipients: 'number',
  link_id: 'text',
  open_id: 'text',
  open_kind: 'word',
  visitor_key: 'text',
  opener_status: 'word',
  referrer_class: 'word',
  conversation_id: 'text',
  conversation_kind: 'word',
  side: 'word',
  sender_kind: 'word',
  message_id: 'text',
  seq: 'number',
  answers_share_id: 'text',
  /** Of a message only its shape, never a word: its length in graphemes, whether it has a link, kinds of attachments. */
  body_graphemes: 'number',
  body_has_link: 'flag',
  media_kinds: 'texts',
  card_id: 'text',
  brand_id: 'text',
  product_id: 'text',
  product_category: 'word',
  sensitive: 'flag',
  intent_id: 'text',
  cart_id: 'text',
  checkout_id: 'text',
  order_id: 'text',
  /** What the client says led to a step of the purchase path; the metrics credit the touches that were observed. */
  touch_kind: 'word',
  touch_id: 'text',
  touch_ref: 'text',
  touch_interaction: 'word',
  stage: 'word',
  quantity: 'number',
  /** Minor units: what it is worth, and what of it is revenue (items less discounts; a refund is negative). */
  amount_minor: 'amount',
  net_minor: 'amount',
  currency: 'word',
  /** The same in the currency of the reports, where the shop says it: of an order and of a refund as a whole. */
  reporting_minor: 'amount',
  reporting_currency: 'word',
  /** Of the order, on its refunds: the cohort view dates them by it. */
  purchased_at: 'instant',
  age_band: 'word',
  purpose: 'word',
  /** A brand's time zone and opening hours as JSON; nothing a query of many rows would want. */
  details: 'text',
} as const satisfies Readonly<Record<string, ColumnType>>;

export type FactColumn = keyof typeof factColumns;
/** What a handler says: the fact's name where it is not the event's type, and columns. `undefined` leaves a column empty. */
export type FactFields = { readonly [Column in FactColumn]?: RowValue | undefined };
export type FactHandler = (event: AnyEvent) => readonly FactFields[];

/** The payload of one type out of a category's events. */
export type DataOf<Event extends DomainEvent, Type extends Event['type']> = Extract<Event, { type: Type }>['data'];

/** Completes what handlers say with what the event itself says: place, times, source, consent. */
export function factRows(event: AnyEvent, facts: readonly FactFields[]): readonly Row[] {
  const { metadata } = event;
  return facts.map((fields, index) => ({
    log_position: event.position,
    row_number: index,
    event_id: event.id,
    fact: event.type,
    occurred_at: metadata.occurredAt,
    received_at: metadata.receivedAt,
    source: metadata.source,
    platform: metadata.platform ?? '',
    app_version: metadata.appVersion ?? '',
    country: metadata.country ?? '',
    consent_analytics: metadata.consent?.product_analytics ?? false,
    consent_brand: metadata.consent?.brand_measurement ?? false,
    ...(fields as Row),
  }));
}
