-- One row per member: what decides whether the person may count in a figure, a brand's or the product team's. Idempotent columns only.
--
-- The sort key serves: the look-up of many members by id.
-- Consent is kept as the log positions of the last grant and the last withdrawal: a fact counts when it was recorded
-- under consent and no withdrawal came after it, whatever the clocks of the clients said.
-- Rejected: the present consent alone (a grant after a withdrawal would bring back what was recorded before it).
CREATE TABLE IF NOT EXISTS member_facts_v1
(
  member_id             String,
  registered_at         SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
  age_band              AggregateFunction(argMax, String, UInt64),
  country               AggregateFunction(argMax, String, UInt64),
  brand_granted_at_position   SimpleAggregateFunction(max, UInt64),
  brand_withdrawn_at_position SimpleAggregateFunction(max, UInt64),
  analytics_withdrawn_at_position SimpleAggregateFunction(max, UInt64)
)
ENGINE = AggregatingMergeTree
ORDER BY member_id
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS member_facts_mv_v1 TO member_facts_v1 AS
SELECT
  member_id,
  minOrNullIf(occurred_at, fact = 'MemberRegistered') AS registered_at,
  argMaxState(toString(e.age_band), if(fact = 'MemberRegistered', log_position, 0)) AS age_band,
  argMaxState(toString(e.country), if(fact = 'MemberRegistered', log_position, 0)) AS country,
  maxIf(log_position, fact = 'ConsentGranted' AND purpose = 'brand_measurement') AS brand_granted_at_position,
  maxIf(log_position, fact = 'ConsentWithdrawn' AND purpose = 'brand_measurement') AS brand_withdrawn_at_position,
  maxIf(log_position, fact = 'ConsentWithdrawn' AND purpose = 'product_analytics') AS analytics_withdrawn_at_position
FROM event_facts_v1 AS e
WHERE fact IN ('MemberRegistered', 'ConsentGranted', 'ConsentWithdrawn')
GROUP BY member_id;
