// The demo's service, in a process of its own. It is told its keys by its parent, tells it where it listens, and ends
// when its parent does, however that ends: nobody is left behind holding the data directory.
import 'reflect-metadata';
import { readConfig } from '../../config.js';
import { stopWithin } from '../../service/run.js';
import { type ServiceOptions, startService } from '../../service/service.js';

export interface ChildOrder {
  readonly keys: NonNullable<ServiceOptions['keys']>;
}
export type ChildReport =
  | { readonly kind: 'up'; readonly url: string; readonly dashboardUrl: string | undefined }
  | { readonly kind: 'failed'; readonly message: string };

function report(message: ChildReport): Promise<void> {
  return new Promise((resolve) => {
    if (process.send) process.send(message, () => resolve());
    else resolve();
  });
}

async function serve({ keys }: ChildOrder): Promise<void> {
  const config = readConfig();
  const stop = new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('disconnect', () => resolve());
  });
  const service = await startService(config, { keys });
  await report({ kind: 'up', url: service.url, dashboardUrl: service.dashboardUrl });
  await stop;
  await stopWithin(service, config.shutdownMsMax);
}

// Ctrl-C goes to everybody at the terminal; the parent passes it on when it has put its own things in order.
process.on('SIGINT', () => {});
process.once('message', (order: ChildOrder) => {
  serve(order)
    .then(() => process.exit(0))
    .catch(async (error: unknown) => {
      await report({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
      process.exit(1);
    });
});
