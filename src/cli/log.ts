// `homing log serve` and `homing log check`: an embedded log offered over EventStoreDB's protocol, and one read from end
// to end.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { checkLog, type LogReport } from '../event-log/embedded/check/log-check.js';
import { appendBytesMaxDefault, EmbeddedEventLog } from '../event-log/embedded/embedded-event-log.js';
import { onlyUser } from '../event-log/protocol/authentication.js';
import { ProtocolServer } from '../event-log/protocol/protocol-server.js';

export function logCommand(): Command {
  return new Command('log')
    .description('the event log by itself: serve it, check it')
    .addCommand(serveCommand())
    .addCommand(checkCommand());
}

interface ServeOptions {
  readonly port: number;
  readonly host: string;
  readonly advertise?: string;
  readonly data?: string;
  readonly memory?: boolean;
  readonly maxAppendSize: number;
  readonly tlsCertificate?: string;
  readonly tlsKey?: string;
  readonly user?: string;
  readonly passwordFile?: string;
}

const appendBytesLimit = 256 * 1024 * 1024;

function serveCommand(): Command {
  const memory = new Option('--memory', 'a log in a temporary directory: nothing waits for the disk, gone at exit');
  const maxAppendSize = new Option('--max-append-size <bytes>', 'bytes that one append may have')
    .env('EVENTSTORE_MAX_APPEND_SIZE')
    .argParser(wholeNumber(1, appendBytesLimit))
    .default(appendBytesMaxDefault);
  return new Command('serve')
    .description("serve an embedded log over EventStoreDB's gRPC protocol; prints READY <port> when it accepts calls")
    .option('--port <number>', '0 for any free port', wholeNumber(0, 65_535), 2113)
    .option('--host <address>', 'address to bind', '127.0.0.1')
    .option('--advertise <host>', 'host name that clients are told by gossip (default: the address that is bound)')
    .option('--data <dir>', 'directory of the embedded log; it is made when there is none')
    .addOption(memory.conflicts('data'))
    .addOption(maxAppendSize)
    .option('--tls-certificate <file>', 'PEM; with --tls-key the port speaks TLS')
    .option('--tls-key <file>', 'PEM')
    .option('--user <name>', 'with --password-file and TLS: the only one who is served')
    .option('--password-file <file>', 'holds the password of --user; an end of line after it does not count')
    .action(serve);
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^[0-9]+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
  };
}

async function serve(options: ServeOptions, command: Command): Promise<void> {
  if (options.data === undefined && !options.memory) command.error('error: give --data <dir> or --memory');
  if ((options.tlsCertificate === undefined) !== (options.tlsKey === undefined)) {
    command.error('error: --tls-certificate and --tls-key go together');
  }
  if ((options.user === undefined) !== (options.passwordFile === undefined)) {
    command.error('error: --user and --password-file go together');
  }
  if (options.user !== undefined && options.tlsKey === undefined) {
    command.error('error: --user needs TLS: on an open channel clients send no password');
  }
  const directory = options.data ?? mkdtempSync(join(tmpdir(), 'homing-log-'));
  try {
    const { maxAppendSize: appendBytesMax } = options;
    const log = await EmbeddedEventLog.open(directory, { appendBytesMax, durable: !options.memory });
    try {
      await serveUntilInterrupted(log, options);
    } finally {
      await log.close();
    }
  } finally {
    if (options.memory) rmSync(directory, { recursive: true, force: true });
  }
}

async function serveUntilInterrupted(log: EmbeddedEventLog, options: ServeOptions): Promise<void> {
  const { tlsCertificate, tlsKey, user, passwordFile } = options;
  const tls =
    tlsCertificate !== undefined && tlsKey !== undefined
      ? { certificate: readFileSync(tlsCertificate), key: readFileSync(tlsKey) }
      : undefined;
  const server = await ProtocolServer.start({
    log,
    host: options.host,
    port: options.port,
    appendBytesMax: options.maxAppendSize,
    ...(options.advertise !== undefined && { advertisedHost: options.advertise }),
    ...(tls && { tls }),
    ...(user !== undefined &&
      passwordFile !== undefined && { passwordCheck: onlyUser(user, passwordIn(passwordFile)) }),
  });
  process.stdout.write(`READY ${server.port}\n`);
  await interrupted();
  await server.close();
}

function passwordIn(file: string): string {
  const password = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  if (password === '') throw new Error(`${file} holds no password`);
  return password;
}

/** Resolves at the first SIGINT or SIGTERM; the second ends the process as usual. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

function checkCommand(): Command {
  return new Command('check')
    .description(
      'read a whole embedded log, compare every checksum and the index, and tell what was found; changes nothing',
    )
    .requiredOption('--data <dir>', 'directory of the embedded log')
    .action(async ({ data }: { readonly data: string }) => {
      const report = await checkLog(data);
      if (report.problemCount === 0) process.stdout.write(`${soundness(report)}\n`);
      else throw new Error(complaint(data, report));
    });
}

function soundness({ logId, events, bytes, acknowledgedTo, unacknowledgedBytes }: LogReport): string {
  const torn = unacknowledgedBytes > 0 ? `; ${unacknowledgedBytes} bytes after that were never acknowledged` : '';
  return `OK log ${logId}: ${events} events in ${bytes} bytes, every checksum and the index compared, acknowledged up to position ${acknowledgedTo}${torn}`;
}

function complaint(directory: string, { events, problems, problemCount }: LogReport): string {
  const lines = problems.map(({ position, what }) => (position === undefined ? what : `position ${position}: ${what}`));
  const more = problemCount - problems.length;
  if (more > 0) lines.push(`and ${more} more`);
  return `${directory}: ${events} events are intact, ${problemCount} things are not as they should be\n${lines.join('\n')}`;
}
