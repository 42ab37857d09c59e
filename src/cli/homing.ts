#!/usr/bin/env node
// `homing <command>`: one file per command. Only the one that is asked for is loaded; help loads them all.
import { Command } from 'commander';

/** Each answers with a commander command; its own file says what it does. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./serve.js')).serveCommand(),
  demo: async () => (await import('./demo.js')).demoCommand(),
  simulate: async () => (await import('./simulate.js')).simulateCommand(),
  keys: async () => (await import('./keys.js')).keysCommand(),
  log: async () => (await import('./log.js')).logCommand(),
  lag: async () => (await import('./lag.js')).lagCommand(),
  verify: async () => (await import('./verify.js')).verifyCommand(),
  rebuild: async () => (await import('./rebuild.js')).rebuildCommand(),
  'dead-letters': async () => (await import('./dead-letters.js')).deadLettersCommand(),
};

const program = new Command('homing').description(
  'Where did the share go, did the talk come back, did the talk sell something.',
);
const asked = process.argv[2] ?? '';
const loaded = Object.hasOwn(commands, asked) ? [asked] : Object.keys(commands);
for (const name of loaded) {
  const load = commands[name];
  if (load) program.addCommand(await load());
}
try {
  await program.parseAsync();
} catch (error) {
  // A fault is told in one line; the exit code says that the command did not do what it was asked for.
  process.stderr.write(`homing: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
