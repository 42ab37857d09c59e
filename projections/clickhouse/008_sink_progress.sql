-- How far a build of the facts has come, beside the data, so that any process can tell, and so that a restored copy of
-- the data takes its mark back with it. Not the source of truth: that is the plan in the log.
CREATE TABLE IF NOT EXISTS sink_progress
(
  sink           String,
  build          UInt32,
  log_id         String,
  position       SimpleAggregateFunction(max, UInt64),
  complete_up_to SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
  plan_revision  SimpleAggregateFunction(max, Int64)
)
ENGINE = AggregatingMergeTree
ORDER BY (sink, build, log_id)
SETTINGS non_replicated_deduplication_window = 0;
