-- One row per thing that happened, one wide table. The log is the truth; this is what the analysis reads.
--
-- The sort key serves: one kind of fact over a span of days; one person's rows of it (funnels, erasure); and, through
-- the day, what was written together. The skip indexes serve: one chunk of the sink (checks, repair) and one span of
-- the log (verify).
-- Rejected: a table per fact (each question of a path would join five of them); a JSON or Map column for the rest
-- (needs tuning, hides types); ReplacingMergeTree (it would hide a doubled chunk from the check instead of showing it);
-- the log's order as sort key (fast to verify, but every question of a day would read the whole month).
-- `_v1` is the build: every name that ends in it is made anew, beside the old one, by a rebuild.
CREATE TABLE IF NOT EXISTS event_facts_v1
(
  log_position       UInt64 CODEC(Delta(8), ZSTD(1)),
  row_number         UInt16,
  event_id           UUID,
  fact               LowCardinality(String),
  occurred_at        DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  received_at        DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  source             LowCardinality(String),
  platform           LowCardinality(String),
  app_version        LowCardinality(String),
  country            LowCardinality(String),
  consent_analytics  Bool,
  consent_brand      Bool,
  member_id          String CODEC(ZSTD(1)),
  anon_id            String CODEC(ZSTD(1)),
  sender_id          String CODEC(ZSTD(1)),
  sharer_id          String CODEC(ZSTD(1)),
  recipient_ids      Array(String) CODEC(ZSTD(1)),
  surface            LowCardinality(String),
  session_id         String CODEC(ZSTD(1)),
  entry              LowCardinality(String),
  duration_ms        UInt64,
  content_id         String CODEC(ZSTD(1)),
  content_kind       LowCardinality(String),
  content_category   LowCardinality(String),
  creator_id         String CODEC(ZSTD(1)),
  share_id           String CODEC(ZSTD(1)),
  parent_share_id    String CODEC(ZSTD(1)),
  root_share_id      String CODEC(ZSTD(1)),
  parent_evidence    LowCardinality(String),
  depth              UInt64,
  destination_class  LowCardinality(String),
  destination        LowCardinality(String),
  channel_evidence   LowCardinality(String),
  completion_known   Bool,
  recipients         UInt64,
  link_id            String CODEC(ZSTD(1)),
  open_id            String CODEC(ZSTD(1)),
  open_kind          LowCardinality(String),
  visitor_key        String CODEC(ZSTD(1)),
  opener_status      LowCardinality(String),
  referrer_class     LowCardinality(String),
  conversation_id    String CODEC(ZSTD(1)),
  conversation_kind  LowCardinality(String),
  side               LowCardinality(String),
  sender_kind        LowCardinality(String),
  message_id         String CODEC(ZSTD(1)),
  seq                UInt64,
  answers_share_id   String CODEC(ZSTD(1)),
  card_id            String CODEC(ZSTD(1)),
  brand_id           String CODEC(ZSTD(1)),
  product_id         String CODEC(ZSTD(1)),
  product_category   LowCardinality(String),
  sensitive          Bool,
  intent_id          String CODEC(ZSTD(1)),
  order_id           String CODEC(ZSTD(1)),
  stage              LowCardinality(String),
  quantity           UInt64,
  amount_minor       Int64,
  net_minor          Int64,
  currency           LowCardinality(String),
  purchased_at       DateTime64(3, 'UTC'),
  age_band           LowCardinality(String),
  purpose            LowCardinality(String),
  details            String CODEC(ZSTD(1)),
  chunk              UInt64 CODEC(Delta(8), ZSTD(1)),
  INDEX ix_chunk chunk TYPE minmax GRANULARITY 1,
  INDEX ix_position log_position TYPE minmax GRANULARITY 1,
  INDEX ix_member member_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (fact, toDate(occurred_at), member_id, log_position, row_number)
SETTINGS non_replicated_deduplication_window = 1000;
