// Starts one process in its role and stops it at SIGTERM or SIGINT.
import 'reflect-metadata';
import { ConfigError, readConfig } from './config.js';
import { runUntilStopped } from './service/run.js';

try {
  await runUntilStopped(readConfig());
} catch (error) {
  const text =
    error instanceof ConfigError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
  process.stderr.write(`homing: ${text}\n`);
  process.exit(1);
}
