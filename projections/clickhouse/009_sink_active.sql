-- Which build of the facts readers read: the one that was activated last. Written after the log says so.
CREATE TABLE IF NOT EXISTS sink_active
(
  sink       String,
  build      UInt32,
  activation UInt64
)
ENGINE = ReplacingMergeTree(activation)
ORDER BY sink
SETTINGS non_replicated_deduplication_window = 0;
