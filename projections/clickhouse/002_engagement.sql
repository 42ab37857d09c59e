-- How often, and by how many people: counts that only add up, a quarter of an hour at a time.
--
-- The sort key serves: one fact, split by class and channel, over a span of time; then by creator and by content.
-- Quarters and not hours, because a day of the deployment's time zone may begin at :30 or :45 past a UTC hour; with
-- one or two events a quarter and content the table is hardly longer.
-- `kind` says more of the fact: what an open was, which conversation a message went to, how a session began.
-- `people` is exact (up to collisions of 64 bits); people of several days are merged, never added.
-- `events` is the only sum among the roll-ups: it alone needs every chunk exactly once, and is repaired by the month.
-- Counted is what nobody in particular did, or somebody who agreed to product analytics when it was recorded. What is
-- summed up cannot be told apart again: a later withdrawal changes none of it (docs/privacy.md).
-- Rejected: counts and views per channel in tables of their own (the same rows three times); HyperLogLog (an estimate
-- where the exact figure costs the same up to some ten million people).
CREATE TABLE IF NOT EXISTS engagement_quarterly_v1
(
  fact              LowCardinality(String),
  kind              LowCardinality(String),
  destination_class LowCardinality(String),
  destination       LowCardinality(String),
  creator_id        String,
  content_id        String,
  quarter           DateTime('UTC'),
  events            SimpleAggregateFunction(sum, UInt64),
  people            AggregateFunction(uniqExact, UInt64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(quarter)
ORDER BY (fact, kind, destination_class, destination, toDate(quarter), creator_id, content_id, quarter)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS engagement_quarterly_mv_v1 TO engagement_quarterly_v1 AS
SELECT
  fact,
  if(open_kind != '', open_kind, if(fact = 'MessageSent', conversation_kind, if(fact = 'SessionStarted', entry, ''))) AS kind,
  destination_class,
  destination,
  creator_id,
  content_id,
  toStartOfFifteenMinutes(toDateTime(occurred_at, 'UTC')) AS quarter,
  count() AS events,
  uniqExactState(cityHash64(if(member_id != '', member_id, if(anon_id != '', anon_id, visitor_key)))) AS people
FROM event_facts_v1
WHERE fact IN ('ShareCompleted', 'ShareLinkMinted', 'ShareLinkOpened', 'ClickBackCounted', 'ContentViewed', 'MomentSeen',
  'MessageSent', 'SessionStarted', 'ProductViewed', 'ProductAddedToCart', 'CheckoutStarted', 'PurchaseCompleted')
  AND (consent_analytics OR member_id = '')
GROUP BY fact, kind, destination_class, destination, creator_id, content_id, quarter;
