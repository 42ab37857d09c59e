-- One row per minted link and what came back through it. Idempotent columns only, as in share_facts.
--
-- The sort key serves: grouping by link (click-back rate: a link counts once however often it is opened).
-- Whose doings are in it, and when they are left out again: as in share_facts.
-- Rejected: the share's row for it (a share whose link is minted twice would lose one); counting opens (a sum).
CREATE TABLE IF NOT EXISTS link_facts_v1
(
  link_id             String,
  minted_at           SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
  revoked_at          SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
  minted_at_position  SimpleAggregateFunction(max, UInt64),
  share_id            SimpleAggregateFunction(max, String),
  sharer_id           SimpleAggregateFunction(max, String),
  content_id          SimpleAggregateFunction(max, String),
  creator_id          SimpleAggregateFunction(max, String),
  destination         SimpleAggregateFunction(max, String),
  first_click_back_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
  click_backs         AggregateFunction(uniqExactIf, String, UInt8),
  openers             AggregateFunction(uniqExactIf, String, UInt8)
)
ENGINE = AggregatingMergeTree
ORDER BY link_id
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS link_facts_mv_v1 TO link_facts_v1 AS
SELECT
  link_id,
  minOrNullIf(occurred_at, fact = 'ShareLinkMinted') AS minted_at,
  minOrNullIf(occurred_at, fact = 'ShareLinkRevoked') AS revoked_at,
  maxIf(log_position, fact = 'ShareLinkMinted') AS minted_at_position,
  maxIf(e.share_id, fact = 'ShareLinkMinted') AS share_id,
  maxIf(e.sharer_id, fact = 'ShareLinkMinted') AS sharer_id,
  maxIf(e.content_id, fact = 'ShareLinkMinted') AS content_id,
  maxIf(e.creator_id, fact = 'ShareLinkMinted') AS creator_id,
  maxIf(toString(e.destination), fact = 'ShareLinkMinted') AS destination,
  minOrNullIf(occurred_at, fact = 'ClickBackCounted') AS first_click_back_at,
  uniqExactIfState(open_id, fact = 'ClickBackCounted') AS click_backs,
  uniqExactIfState(if(member_id != '', member_id, visitor_key), fact = 'ClickBackCounted') AS openers
FROM event_facts_v1 AS e
WHERE fact IN ('ShareLinkMinted', 'ShareLinkRevoked', 'ClickBackCounted') AND link_id != ''
  AND (consent_analytics OR member_id = '')
GROUP BY link_id;
