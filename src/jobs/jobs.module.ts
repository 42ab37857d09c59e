// The worker of one process as a module: it starts with the application and stops before the stores close.
import { type DynamicModule, Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { TimerWorker, type TimerWorkerOptions } from './timer.worker.js';

@Module({})
export class JobsModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(@Inject(TimerWorker) private readonly timers: TimerWorker) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.timers.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.timers.close();
  }
}

export function jobsModule(options: TimerWorkerOptions): DynamicModule {
  return {
    module: JobsModule,
    providers: [{ provide: TimerWorker, useValue: new TimerWorker(options) }],
    exports: [TimerWorker],
  };
}
