// The queue by which the hand of the timers is moved: a scheduler that knocks every second, and whoever cannot wait.
import type { RedisClient } from '../stores/redis/redis-endpoint.js';

/** The hash tag keeps all keys of the queue together on a Redis Cluster. */
export const queuePrefix = '{homing-jobs}';
export const timerQueue = 'timers';
export const takeDueTimers = 'TakeDueTimers';

export interface TakeDueTimersData {
  /** What time it is for whoever asks; the worker's own clock counts if it is later. */
  readonly nowMs?: number;
}
export interface TakeDueTimersResult {
  readonly acted: number;
}

/** A new connection for blocking commands: it waits for Redis as long as it takes. */
export type Connect = (overrides: { readonly maxRetriesPerRequest: null }) => RedisClient;

/** Jobs kept to look at afterwards, and so that a waiter finds the one it waited for. */
export const keptJobs = { removeOnComplete: { count: 1_000 }, removeOnFail: { count: 1_000 } } as const;
