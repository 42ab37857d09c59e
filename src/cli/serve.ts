// `homing serve`: the service in the foreground, as `npm start` runs it.
import 'reflect-metadata';
import { Command } from 'commander';
import { readConfig } from '../config.js';
import { runUntilStopped } from '../service/run.js';

export function serveCommand(): Command {
  return new Command('serve')
    .description('start the service in its role (HOMING_ROLE) and stop it at SIGTERM or SIGINT')
    .action(() => runUntilStopped(readConfig()));
}
