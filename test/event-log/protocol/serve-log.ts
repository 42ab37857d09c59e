// An embedded log in a temporary directory, served on a free loopback port.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedEventLog, type EmbeddedLogOptions } from '../../../src/event-log/embedded/embedded-event-log.js';
import { ProtocolServer, type ProtocolServerOptions } from '../../../src/event-log/protocol/protocol-server.js';
import { freePort } from '../free-port.js';

export interface Served {
  readonly log: EmbeddedEventLog;
  readonly server: ProtocolServer;
  readonly port: number;
  readonly url: string;
  /** Stops serving and opens the same directory again on the same port, as a restarted server would. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface ServeOptions extends EmbeddedLogOptions {
  /** Stands between the server and the log. */
  readonly between?: (log: EmbeddedEventLog) => EmbeddedEventLog;
  readonly server?: Partial<
    Pick<ProtocolServerOptions, 'tls' | 'passwordCheck' | 'advertisedHost' | 'host' | 'waitingBytesMax'>
  >;
}

export const appendBytesMax = 1024 * 1024;

export async function serveLog(options: ServeOptions = {}): Promise<Served> {
  const directory = mkdtempSync(join(tmpdir(), 'homing-served-'));
  const { server: serverOptions, between = (log) => log, ...logOptions } = options;
  const start = async (port: number) => {
    const log = await EmbeddedEventLog.open(directory, { appendBytesMax, ...logOptions });
    const server = await ProtocolServer.start({ log: between(log), port, appendBytesMax, ...serverOptions });
    return { log, server };
  };
  const port = await freePort();
  let running = await start(port);
  const stop = async () => {
    await running.server.close();
    await running.log.close();
  };
  return {
    get log() {
      return running.log;
    },
    get server() {
      return running.server;
    },
    port,
    url: `esdb://127.0.0.1:${port}?tls=false`,
    async restart() {
      await stop();
      running = await start(port);
    },
    async close() {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
