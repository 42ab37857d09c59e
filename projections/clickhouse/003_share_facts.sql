-- One row per share: from the sheet to what came of it. The join of shares with their answers and click-backs, done
-- by merging. Every column is idempotent and commutative, so a chunk that comes twice or late changes nothing.
--
-- The sort key serves: grouping by share, which every question of sharing does (leakage, channel mix, talk-back), and
-- one share's own row.
-- What its people did under consent to product analytics is in it, and what nobody in particular did; the timer's
-- abandonment carries no consent and says nothing without a beginning. A sharer who withdraws later is left out by the
-- readers, who compare the position of the completion with the one of the withdrawal.
-- Rejected: a partition by month (the pieces of one share lie in several months and would never merge); the day of the
-- share as first key column (an answer does not know it); a counter of answers (a sum is not idempotent).
CREATE TABLE IF NOT EXISTS share_facts_v1
(
  share_id            String,
  initiated_at        SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
  completed_at        SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
  abandoned_at        SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
  completed_at_position SimpleAggregateFunction(max, UInt64),
  sharer_id           SimpleAggregateFunction(max, String),
  content_id          SimpleAggregateFunction(max, String),
  creator_id          SimpleAggregateFunction(max, String),
  surface             SimpleAggregateFunction(max, String),
  root_share_id       SimpleAggregateFunction(max, String),
  parent_share_id     SimpleAggregateFunction(max, String),
  parent_evidence     SimpleAggregateFunction(max, String),
  depth               SimpleAggregateFunction(max, UInt64),
  explicit_root_id    SimpleAggregateFunction(max, String),
  explicit_depth      SimpleAggregateFunction(max, UInt64),
  destination_class   SimpleAggregateFunction(max, String),
  destination         SimpleAggregateFunction(max, String),
  channel_evidence    SimpleAggregateFunction(max, String),
  recipients          SimpleAggregateFunction(max, UInt64),
  reclassified        AggregateFunction(argMax, String, UInt64),
  first_answer_at     SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
  first_click_back_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC')))
)
ENGINE = AggregatingMergeTree
ORDER BY share_id
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS share_facts_mv_v1 TO share_facts_v1 AS
SELECT
  if(fact = 'MessageSent', answers_share_id, e.share_id) AS share_id,
  minOrNullIf(occurred_at, fact = 'ShareInitiated') AS initiated_at,
  minOrNullIf(occurred_at, fact = 'ShareCompleted') AS completed_at,
  minOrNullIf(occurred_at, fact = 'ShareAbandoned') AS abandoned_at,
  maxIf(log_position, fact = 'ShareCompleted') AS completed_at_position,
  maxIf(e.sharer_id, fact = 'ShareCompleted') AS sharer_id,
  maxIf(e.content_id, fact = 'ShareCompleted') AS content_id,
  maxIf(e.creator_id, fact = 'ShareCompleted') AS creator_id,
  maxIf(toString(e.surface), fact = 'ShareCompleted') AS surface,
  maxIf(e.root_share_id, fact = 'ShareCompleted') AS root_share_id,
  maxIf(e.parent_share_id, fact = 'ShareCompleted') AS parent_share_id,
  maxIf(toString(e.parent_evidence), fact = 'ShareCompleted') AS parent_evidence,
  maxIf(e.depth, fact = 'ShareCompleted') AS depth,
  maxIf(e.explicit_root_id, fact = 'ShareCompleted') AS explicit_root_id,
  maxIf(e.explicit_depth, fact = 'ShareCompleted') AS explicit_depth,
  maxIf(toString(e.destination_class), fact = 'ShareCompleted') AS destination_class,
  maxIf(toString(e.destination), fact = 'ShareCompleted') AS destination,
  maxIf(toString(e.channel_evidence), fact = 'ShareCompleted') AS channel_evidence,
  maxIf(e.recipients, fact = 'ShareCompleted') AS recipients,
  argMaxState(if(fact = 'ShareChannelReclassified', toString(e.destination), ''),
              if(fact = 'ShareChannelReclassified', log_position, 0)) AS reclassified,
  minOrNullIf(occurred_at, fact = 'MessageSent') AS first_answer_at,
  minOrNullIf(occurred_at, fact = 'ClickBackCounted') AS first_click_back_at
FROM event_facts_v1 AS e
WHERE (consent_analytics OR member_id = '' OR fact = 'ShareAbandoned')
  AND (fact IN ('ShareInitiated', 'ShareCompleted', 'ShareAbandoned', 'ShareChannelReclassified', 'ClickBackCounted')
   OR (fact = 'MessageSent' AND answers_share_id != ''))
GROUP BY share_id;
