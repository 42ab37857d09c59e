-- All that a brand's figures are made of, one brand's rows together: its products, its cards, the steps of the purchase
-- path, its conversations. A narrow copy of those facts, sorted for a brand's questions; no brand's query ever
-- touches another brand's rows.
--
-- The sort key serves: one brand, one fact, a span of time. It names every row (position and row number), so that a
-- row that comes twice is the same row (ReplacingMergeTree; readers that sum use FINAL over one brand).
-- Rejected: person × product × day aggregates (windows are a parameter of each question, so the instants must stay);
-- one row per purchase intent (a view or a card shown has none).
CREATE TABLE IF NOT EXISTS brand_facts_v1
(
  brand_id          String,
  fact              LowCardinality(String),
  occurred_at       DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  log_position      UInt64 CODEC(Delta(8), ZSTD(1)),
  row_number        UInt16,
  product_id        String,
  member_id         String,
  sender_id         String,
  consent_brand     Bool,
  session_id        String,
  card_id           String,
  conversation_id   String,
  conversation_kind LowCardinality(String),
  side              LowCardinality(String),
  sender_kind       LowCardinality(String),
  order_id          String,
  net_minor         Int64,
  currency          LowCardinality(String),
  purchased_at      DateTime64(3, 'UTC'),
  sensitive         Bool,
  details           String
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (brand_id, fact, occurred_at, log_position, row_number)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS brand_facts_mv_v1 TO brand_facts_v1 AS
SELECT brand_id, fact, occurred_at, log_position, row_number, product_id, member_id, sender_id, consent_brand, session_id,
  card_id, conversation_id, conversation_kind, side, sender_kind, order_id, net_minor, currency, purchased_at, sensitive, details
FROM event_facts_v1
WHERE brand_id != '' AND fact IN ('BrandRegistered', 'ProductListed', 'ProductChanged', 'ProductCardSent',
  'ProductCardDisplayed', 'ProductCardTapped', 'ProductViewed', 'ProductAskedAbout', 'ProductAddedToCart', 'CheckoutStarted',
  'PurchaseCompleted', 'PurchaseItem', 'PurchaseRefunded', 'RefundItem', 'MessageSent');
