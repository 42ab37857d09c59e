// A private redis-server: append-only file on, loopback only, behind a password that never shows in a process list.
// It is started, adopted after a crash of ours, started again when it dies, and stopped with us.
import { type ChildProcess, spawn } from 'node:child_process';
import { realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { DirectoryHold } from '../directory-hold.js';
import { holdDirectory } from '../directory-hold.js';
import {
  commandLineOf,
  identityOf,
  isSameProcess,
  type ProcessIdentity,
  signal,
  untilEnded,
} from '../process-identity.js';
import type { Report } from '../report.js';
import { RestartPause } from '../restart-pause.js';
import { parseInfo, probeFor, type RedisEndpoint } from './redis-endpoint.js';
import { configuration, freePort, passwordOf, portOf, readText } from './redis-files.js';
import { watch } from './watcher.js';

/** Loading a large append-only file takes its time; as long as the server lives and says so, we wait. */
const loadMsMax = 600_000;
const answerMsMax = 15_000;
const stopMsMax = 10_000;
const silentStopMsMax = 2_000;
const lookMs = 250;
const probePauseMs = 20;
const portAttemptsMax = 5;
const logTailBytes = 2_000;
/** Long enough for a supervisor to start the service again, short enough not to look like a leak. */
const graceSecondsDefault = 30;

export interface RedisServerOptions {
  readonly directory: string;
  readonly binary: string;
  readonly report: Report;
  readonly graceSeconds?: number;
}

interface Answer {
  readonly identity: ProcessIdentity;
  readonly loading: boolean;
}

export class RedisServerChild {
  private server: ProcessIdentity | undefined;
  private watcher: ChildProcess | undefined;
  private look: NodeJS.Timeout | undefined;
  private closing = false;
  private readonly pause = new RestartPause();
  private readonly stopping = new AbortController();
  private restarting: Promise<void> | undefined;
  /** True when the server of an earlier process was taken over. */
  adopted = false;

  private constructor(
    private readonly options: RedisServerOptions,
    private readonly hold: DirectoryHold,
    private port: number,
    private readonly password: string,
  ) {}

  get endpoint(): RedisEndpoint {
    return { host: '127.0.0.1', port: this.port, password: this.password };
  }

  /** Its process id; another one after a restart. */
  get pid(): number | undefined {
    return this.server?.pid;
  }

  /** @throws DirectoryHeld, or Error with the end of the server's log when it does not come up. */
  static async start(options: RedisServerOptions): Promise<RedisServerChild> {
    const hold = holdDirectory(options.directory);
    try {
      const child = new RedisServerChild(options, hold, portOf(options.directory) ?? 0, passwordOf(options.directory));
      await child.adoptOrBegin();
      child.look = setInterval(() => child.restartIfGone(), lookMs).unref();
      return child;
    } catch (error) {
      hold.release();
      throw error;
    }
  }

  private async adoptOrBegin(): Promise<void> {
    const answer = this.port === 0 ? undefined : await this.ask();
    if (answer) {
      this.server = answer.identity;
      this.adopted = true;
      await this.untilLoaded();
      this.keepWatch();
      this.options.report('info', `adopted the redis-server (pid ${answer.identity.pid}) that an earlier process left`);
      return;
    }
    await this.endSilentPredecessor();
    await this.begin();
  }

  /** A server that holds our files but does not answer must be gone before another one opens them. */
  private async endSilentPredecessor(): Promise<void> {
    const pid = Number(readText(join(this.options.directory, 'redis.pid')) ?? 0);
    if (!Number.isSafeInteger(pid) || pid <= 0) return;
    const predecessor = identityOf(pid);
    const commandLine = commandLineOf(pid);
    // The number may belong to anybody by now; redis shows its port once it runs and its configuration before that.
    const ours = commandLine.includes(`:${this.port}`) || commandLine.includes(this.options.directory);
    if (!/redis|valkey/.test(commandLine) || !ours) return;
    this.options.report('warn', `the redis-server (pid ${pid}) of an earlier process does not answer: ending it`);
    signal(predecessor, 'SIGTERM');
    if (await untilEnded(predecessor, silentStopMsMax)) return;
    signal(predecessor, 'SIGKILL');
    if (!(await untilEnded(predecessor, stopMsMax)))
      throw new Error(`the redis-server with pid ${pid} cannot be ended`);
  }

  /** Starts a server, on the port of before where there is one, so that clients find it again. */
  private async begin(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      if (this.port === 0) this.port = await freePort();
      try {
        await this.spawnServer();
        return;
      } catch (error) {
        const taken = error instanceof Error && error.message.includes('Address already in use');
        // Only the first start may move to another port: later ones have clients that know this one.
        if (!taken || this.look || attempt >= portAttemptsMax) throw error;
        this.port = 0;
      }
    }
  }

  private async spawnServer(): Promise<void> {
    const { directory, binary } = this.options;
    const conf = join(directory, 'redis.conf');
    writeFileSync(conf, configuration(directory, this.port, this.password), { mode: 0o600 });
    writeFileSync(join(directory, 'redis.log'), '', { mode: 0o600 });
    const child = spawn(binary, [conf], { cwd: directory, stdio: 'ignore', detached: true });
    let ended: string | undefined;
    child.on('error', (error) => {
      ended = error.message;
    });
    child.on('exit', (code, by) => {
      ended ??= `${by ?? `exit code ${code}`}`;
      this.restartIfGone();
    });
    child.unref();
    if (child.pid !== undefined) this.server = identityOf(child.pid);
    try {
      await this.untilLoaded(() => ended);
    } catch (error) {
      if (this.server) signal(this.server, 'SIGKILL');
      throw error;
    }
    this.keepWatch();
  }

  private keepWatch(): void {
    this.watcher?.kill('SIGKILL');
    if (this.server) {
      this.watcher = watch(this.options.directory, this.server.pid, this.options.graceSeconds ?? graceSecondsDefault);
    }
  }

  private async untilLoaded(ended: () => string | undefined = () => undefined): Promise<void> {
    const begun = performance.now();
    for (;;) {
      const answer = await this.ask();
      if (answer && !answer.loading) return;
      const why = ended() ?? (this.server && isSameProcess(this.server) ? undefined : 'it is gone');
      const waited = performance.now() - begun;
      if (why || waited > (answer ? loadMsMax : answerMsMax)) {
        throw new Error(
          `redis-server did not come up (${why ?? `no answer for ${waited.toFixed(0)} ms`}): ${this.logTail()}`,
        );
      }
      await delay(probePauseMs);
    }
  }

  /** Who answers at our port with our password and our directory; undefined when nobody does. */
  private async ask(): Promise<Answer | undefined> {
    const probe = probeFor(this.endpoint);
    try {
      await probe.connect();
      const info = parseInfo(await probe.info());
      const pid = Number(info['process_id']);
      // A server without a password takes ours as well: only the directory tells whose it is.
      const [, directory] = (await probe.config('GET', 'dir')) as string[];
      if (!Number.isSafeInteger(pid) || pid <= 0 || directory !== realpathSync(this.options.directory))
        return undefined;
      return { identity: identityOf(pid), loading: info['loading'] === '1' };
    } catch {
      return undefined;
    } finally {
      probe.disconnect();
    }
  }

  private restartIfGone(): void {
    if (this.closing || this.restarting || !this.look || !this.server || isSameProcess(this.server)) return;
    this.options.report('error', `redis-server (pid ${this.server.pid}) died: starting it again. ${this.logTail()}`);
    this.restarting = this.restart().finally(() => {
      this.restarting = undefined;
    });
  }

  private async restart(): Promise<void> {
    while (!this.closing) {
      await delay(this.pause.next(), undefined, { signal: this.stopping.signal }).catch(() => {});
      if (this.closing) return;
      try {
        await this.begin();
        this.options.report('info', `redis-server runs again (pid ${this.pid})`);
        return;
      } catch (error) {
        this.options.report('error', `redis-server does not start: ${(error as Error).message}`);
      }
    }
  }

  private logTail(): string {
    return (readText(join(this.options.directory, 'redis.log')) ?? '').slice(-logTailBytes).trim();
  }

  /** Ends the server after it has written its file; at most some seconds. */
  async close(): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    this.stopping.abort();
    clearInterval(this.look);
    await this.restarting;
    if (this.server) {
      signal(this.server, 'SIGTERM');
      if (!(await untilEnded(this.server, stopMsMax))) signal(this.server, 'SIGKILL');
    }
    this.watcher?.kill('SIGKILL');
    this.hold.release();
  }
}
