-- Events that no rows could be made of, for the operator who has to deal with them: one row says why, another one that
-- it is settled (`retried`, `dropped`). The plans in the log say the same; this is where it can be listed.
CREATE TABLE IF NOT EXISTS sink_parked
(
  sink     String,
  build    UInt32,
  position UInt64,
  event_id SimpleAggregateFunction(max, String),
  stream   SimpleAggregateFunction(max, String),
  revision SimpleAggregateFunction(max, UInt64),
  type     SimpleAggregateFunction(max, String),
  error    SimpleAggregateFunction(max, String),
  settled  SimpleAggregateFunction(max, String)
)
ENGINE = AggregatingMergeTree
ORDER BY (sink, build, position)
SETTINGS non_replicated_deduplication_window = 0;
