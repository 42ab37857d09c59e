// The log's id: made once, together with the log, and written into every file of it. `log.json` is written last, so a
// directory without it holds no log, or one whose making was cut short.
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { isUuid } from '../../../kernel/ids.js';
import { LogDamaged } from '../../event-log.js';
import { HeadMark } from './head-mark.js';
import { SegmentFiles, segmentHeaderBytes, syncDirectory } from './segment-files.js';

const formatVersion = 1;

export interface LogIdentity {
  readonly id: string;
  readonly bytes: Buffer;
}

export function identityPath(directory: string): string {
  return join(directory, 'log.json');
}

export function markPath(directory: string): string {
  return join(directory, 'head.mark');
}

function identity(id: string): LogIdentity {
  return { id, bytes: Buffer.from(id.replaceAll('-', ''), 'hex') };
}

/** Undefined when there is none. @throws LogDamaged when it is there and does not say which log this is */
export function readIdentity(directory: string): LogIdentity | undefined {
  const path = identityPath(directory);
  if (!existsSync(path)) return undefined;
  const stored = parse(readFileSync(path, 'utf8'));
  if (stored.format !== formatVersion || typeof stored.id !== 'string' || !isUuid(stored.id)) {
    throw new LogDamaged(`${path} does not name a log of format ${formatVersion}`);
  }
  return identity(stored.id);
}

function parse(text: string): { readonly format?: unknown; readonly id?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** Makes an empty log. @throws LogDamaged when files of a log are there that have lost their `log.json` */
export function createLog(directory: string, durable: boolean): LogIdentity {
  for (const name of readdirSync(directory).filter((file) => file.endsWith('.seg'))) {
    const path = join(directory, name);
    if (statSync(path).size > segmentHeaderBytes) {
      throw new LogDamaged(`${directory}: log.json is missing, but ${name} holds events`);
    }
    rmSync(path);
  }
  const made = identity(randomUUID());
  SegmentFiles.create(directory, { segmentBytes: Number.MAX_SAFE_INTEGER, durable, logId: made.bytes });
  HeadMark.create(markPath(directory), segmentHeaderBytes);
  writeIdentity(directory, made.id, durable);
  return made;
}

function writeIdentity(directory: string, id: string, durable: boolean): void {
  const path = identityPath(directory);
  const draft = `${path}.new`;
  const fd = openSync(draft, 'w', 0o640);
  try {
    writeSync(fd, `${JSON.stringify({ format: formatVersion, id })}\n`);
    if (durable) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(draft, path);
  if (durable) syncDirectory(directory);
}
