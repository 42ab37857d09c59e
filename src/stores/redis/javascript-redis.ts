// Redis where none is installed: an npm package in a child process. Slow and in memory, but the first command works
// everywhere; the read models are filled again from the log at every start.
import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { firstMessage, forkModule } from '../forked-module.js';
import type { Report } from '../report.js';
import { RestartPause } from '../restart-pause.js';
import type { RedisEndpoint } from './redis-endpoint.js';

const readyMsMax = 30_000;

export class JavascriptRedis {
  private child: ChildProcess | undefined;
  private port = 0;
  private closing = false;
  private readonly pause = new RestartPause();
  private readonly stopping = new AbortController();

  private constructor(private readonly report: Report) {}

  get endpoint(): RedisEndpoint {
    return { host: '127.0.0.1', port: this.port };
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  static async start(report: Report): Promise<JavascriptRedis> {
    const redis = new JavascriptRedis(report);
    await redis.begin();
    return redis;
  }

  private async begin(): Promise<void> {
    const forked = forkModule(import.meta.url, 'javascript-redis.main', { args: [String(this.port)] });
    try {
      const { port } = await firstMessage<{ port: number }>(forked, readyMsMax);
      this.port = port;
    } catch (error) {
      forked.child.kill('SIGKILL');
      throw error;
    }
    this.child = forked.child;
    forked.child.once('exit', () => {
      if (!this.closing) void this.restart();
    });
  }

  /** On the same port, so that clients find it; it comes back empty, which checkpoints beside the data make visible. */
  private async restart(): Promise<void> {
    this.report('error', 'the JavaScript Redis died and took its data along: starting an empty one');
    while (!this.closing) {
      await delay(this.pause.next(), undefined, { signal: this.stopping.signal }).catch(() => {});
      if (this.closing) return;
      try {
        await this.begin();
        return;
      } catch (error) {
        this.report('error', `the JavaScript Redis does not start: ${(error as Error).message}`);
      }
    }
  }

  async close(): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    this.stopping.abort();
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    // It has nothing on disk that it could finish, and nothing can hold this up.
    child.kill('SIGKILL');
    await ended;
  }
}
