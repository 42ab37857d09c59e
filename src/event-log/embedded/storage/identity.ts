// The log's id: made once, together with the log, and written into every file of it.

import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isUuid } from '../../../kernel/ids.js';
import { LogDamaged } from '../../event-log.js';
import { syncDirectory } from './segment-files.js';

const fileName = 'log.json';
const formatVersion = 1;

export interface LogIdentity {
  readonly id: string;
  readonly bytes: Buffer;
  readonly isNew: boolean;
}

function identity(id: string, isNew: boolean): LogIdentity {
  return { id, bytes: Buffer.from(id.replaceAll('-', ''), 'hex'), isNew };
}

/** @throws LogDamaged when the file is there and does not say which log this is. */
export function openIdentity(directory: string, durable: boolean): LogIdentity {
  const path = join(directory, fileName);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return create(directory, path, durable);
  }
  const stored = parse(text);
  if (stored.format !== formatVersion || typeof stored.id !== 'string' || !isUuid(stored.id)) {
    throw new LogDamaged(`${path} does not name a log of format ${formatVersion}`);
  }
  return identity(stored.id, false);
}

function parse(text: string): { readonly format?: unknown; readonly id?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function create(directory: string, path: string, durable: boolean): LogIdentity {
  const id = randomUUID();
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
  return identity(id, true);
}
