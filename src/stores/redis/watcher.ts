// The private redis-server outlives a crash of ours for a while, so that the next start finds it warm; a shell that hangs
// on a pipe from us ends it when nobody has come back. Node cannot ask the system for "die with your parent".
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';

// $1 pid of redis · $2 file naming the watcher in charge · $3 seconds of grace · $4 our own name
const script = `
# Another watcher has taken over. A file that is gone, its directory with it, is nobody's.
relieved() { [ -s "$2" ] && [ "$(cat "$2")" != "$4" ]; }
read -r _
n=0
while [ "$n" -lt "$3" ]; do
  kill -0 "$1" 2>/dev/null || exit 0
  relieved "$@" && exit 0
  sleep 1
  n=$((n + 1))
done
relieved "$@" && exit 0
title=$( (tr '\\0' ' ' < "/proc/$1/cmdline" || ps -p "$1" -o args=) 2>/dev/null )
case "$title" in *redis*|*valkey*) ;; *) exit 0 ;; esac
kill -TERM "$1"
sleep 5
# It will not go when it cannot write its file any more.
kill -KILL "$1" 2>/dev/null
`;

/** Takes over from any earlier watcher of that directory. */
export function watch(directory: string, pid: number, graceSeconds: number): ChildProcess {
  const name = randomUUID();
  const file = join(directory, 'watcher');
  writeFileSync(file, name, { mode: 0o600 });
  const watcher = spawn('sh', ['-c', script, 'homing-redis-watcher', String(pid), file, String(graceSeconds), name], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watcher.on('error', () => {});
  watcher.stdin?.on('error', () => {});
  watcher.unref();
  // A pipe is a socket underneath; left counted, it would keep a process alive that has nothing else to do.
  (watcher.stdin as Socket).unref();
  return watcher;
}
