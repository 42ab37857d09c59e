// What a process tells of itself: health of its engines, figures of its write side.
import { Gauge, type Registry } from 'prom-client';
import type { HealthCheck } from '../http/operation/health.controller.js';
import { HeadFitness } from '../projector/operation/fitness.js';
import type { Engines } from './engines.js';
import type { WriteSide } from './write-side.js';

export function engineHealth({ log, redis, clickhouse }: Engines): HealthCheck[] {
  const head = new HeadFitness(log);
  const readModels = async () => {
    await redis.reader.ping();
    // Without a disk behind it the read models are filled again at the next start: it serves, and that is all.
    return { status: redis.durable ? ('up' as const) : ('degraded' as const), detail: redis.kind };
  };
  const facts = async () => {
    const answer = await clickhouse?.client.ping();
    if (answer && !answer.success) throw answer.error;
    return { status: 'up', detail: clickhouse?.kind ?? '' } as const;
  };
  return [
    { name: 'event-log', check: () => head.check(Date.now()) },
    { name: 'redis', check: readModels },
    ...(clickhouse ? [{ name: 'clickhouse', check: facts }] : []),
  ];
}

export function measureObservations(registry: Registry, { observations }: WriteSide): void {
  new Gauge({
    name: 'homing_observation_queue_bytes',
    help: 'Observations that wait to be written.',
    registers: [registry],
    collect() {
      this.set(observations.queuedBytes);
    },
  });
  new Gauge({
    name: 'homing_observation_ids_remembered',
    help: 'Ids by which duplicate observations are known: at least 48 h of them, or so many.',
    registers: [registry],
    async collect() {
      this.set(await observations.rememberedIds());
    },
  });
}
