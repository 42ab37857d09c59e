// The child process that holds the embedded ClickHouse: a native crash or a long insert stays away from the service. It
// ends when its parent does: the channel between them closes with it.

import type { AddressInfo } from 'node:net';
import { drainPending } from 'chdb';
import { type Credentials, createFront } from './http-front.js';
import { SessionPool } from './session-pool.js';

export interface ChildOptions extends Credentials {
  readonly directory: string;
  /** 0: any. */
  readonly port: number;
}
export type FromChild = { readonly port: number } | { readonly error: string };

/** A predecessor whose parent was killed lets go of the directory within moments; longer means that somebody else has it. */
const openAttemptsMax = 40;
const openRetryMs = 250;
const stopMsMax = 10_000;
const idleCheckMs = 50;

async function openPool(directory: string): Promise<SessionPool> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return new SessionPool(directory);
    } catch (error) {
      // The engine writes the reason (code 76, the directory is locked) to stderr only.
      const locked = /Failed to create connection/.test(String(error));
      if (!locked || attempt >= openAttemptsMax) throw error;
      await new Promise((resolve) => setTimeout(resolve, openRetryMs));
    }
  }
}

async function serve(options: ChildOptions): Promise<void> {
  const pool = await openPool(options.directory);
  const server = createFront(pool, options);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, '127.0.0.1', resolve);
  });
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), stopMsMax).unref();
    server.close(() => {
      pool.close();
      void drainPending().then(() => process.exit(0));
    });
    // A connection that was busy when we began to stop becomes idle later.
    setInterval(() => server.closeIdleConnections(), idleCheckMs).unref();
    server.closeIdleConnections();
  };
  process.on('message', (message) => {
    if (message === 'stop') stop();
  });
  process.on('disconnect', stop);
  process.send?.({ port: (server.address() as AddressInfo).port } satisfies FromChild);
}

// Signals are the parent's to handle; it tells us to stop when it is done with us.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.once('message', (options) => {
  serve(options as ChildOptions).catch((error: unknown) => {
    process.send?.({ error: error instanceof Error ? error.message : String(error) } satisfies FromChild, () =>
      process.exit(1),
    );
  });
});
