// The process that the engine lives in: a native crash stays here, a long insert stalls nobody's event loop, and when our
// parent is gone, however it ended, so are we.
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Engine } from './engine.js';
import { HttpFront } from './http-front.js';

export interface EngineStart {
  readonly directory: string;
  readonly user: string;
  readonly password: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly queriesMax: number;
}

export type EngineSays =
  | { readonly kind: 'ready'; readonly port: number; readonly version: string }
  | { readonly kind: 'failed'; readonly message: string };

const stopMsMax = 5_000;
/** Nobody is there to read an answer any more, and the next process wants the directory. */
const orphanMsMax = 1_000;
const pollMs = 10;

async function start({ directory, user, password, port, queriesMax }: EngineStart): Promise<void> {
  const bodyDirectory = join(directory, 'incoming');
  mkdirSync(bodyDirectory, { recursive: true, mode: 0o700 });
  const engine = await Engine.open(join(directory, 'data'), { queriesMax });
  for (const left of readdirSync(bodyDirectory)) rmSync(join(bodyDirectory, left), { force: true });
  const front = new HttpFront(engine, { user, password, bodyDirectory });
  let stopping = false;
  const stop = async (msMax: number): Promise<void> => {
    if (stopping) return;
    stopping = true;
    front.stop();
    const end = performance.now() + msMax;
    while (!engine.idle && performance.now() < end) await delay(pollMs);
    // A query cannot be interrupted; what it leaves half done the engine throws away when it opens again.
    if (!engine.idle) process.kill(process.pid, 'SIGKILL');
    await engine.close();
    process.exit(0);
  };
  process.on('disconnect', () => void stop(orphanMsMax));
  process.on('SIGTERM', () => void stop(stopMsMax));
  say({ kind: 'ready', port: await front.listen(port), version: engine.version });
}

function say(message: EngineSays): void {
  if (process.connected) process.send?.(message);
}

process.on('disconnect', () => setTimeout(() => process.kill(process.pid, 'SIGKILL'), stopMsMax + orphanMsMax).unref());
process.once('message', (message) => {
  start(message as EngineStart).catch((error: unknown) => {
    say({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    process.exitCode = 1;
    process.disconnect();
  });
});
