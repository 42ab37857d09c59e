-- One row per member and day of the deployment's time zone: a bit mask of what the person did. A bit-or is replay-proof and
-- late-proof.
-- 1 session · 2 view · 4 shared to a conversation · 8 shared elsewhere in the app · 16 shared off-platform
-- 32 came back through a link · 64 message · 128 product view · 256 cart · 512 purchase
--
-- The sort key serves: one person's days (retention by sharing behaviour, active members of a span).
-- Only what was recorded under consent to product analytics is in it.
-- Rejected: a list of days per person (an array that grows for ever); a partition by month (an insert of one UTC month
-- can touch two local months, and one insert must stay one part).
CREATE TABLE IF NOT EXISTS member_days_v1
(
  member_id String,
  day       Date,
  did       SimpleAggregateFunction(groupBitOr, UInt64)
)
ENGINE = AggregatingMergeTree
ORDER BY (member_id, day)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS member_days_mv_v1 TO member_days_v1 AS
SELECT
  member_id,
  toDate(occurred_at, 'HOMING_TIME_ZONE') AS day,
  groupBitOr(toUInt64(multiIf(
    fact = 'SessionStarted', 1,
    fact = 'ContentViewed', 2,
    fact = 'ShareCompleted' AND destination IN ('dm', 'group', 'brand_conversation'), 4,
    fact = 'ShareCompleted' AND destination_class = 'in_app', 8,
    fact = 'ShareCompleted', 16,
    fact = 'ClickBackCounted', 32,
    fact = 'MessageSent', 64,
    fact = 'ProductViewed', 128,
    fact = 'ProductAddedToCart', 256,
    512))) AS did
FROM event_facts_v1
WHERE member_id != '' AND fact IN ('SessionStarted', 'ContentViewed', 'ShareCompleted', 'ClickBackCounted', 'MessageSent',
  'ProductViewed', 'ProductAddedToCart', 'PurchaseCompleted')
  AND consent_analytics
GROUP BY member_id, day;
