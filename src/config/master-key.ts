// The master key wraps the per-person keys of personal fields. An embedded data directory makes its own at the first
// start, so that the first command works; with a log server it must be given, since every process needs the same one.
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const masterKeyBytes = 32;

export interface MasterKey {
  /** 32 bytes. */
  readonly key: Buffer;
  /** True when this call made it. */
  readonly made: boolean;
}

/** 32 bytes as 64 hex digits or as base64 / base64url; undefined when the text is neither. */
export function parseMasterKey(encoded: string): Buffer | undefined {
  const trimmed = encoded.trim();
  if (/^[0-9a-fA-F]{64}$/.test(trimmed)) return Buffer.from(trimmed, 'hex');
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) return undefined;
  const key = Buffer.from(trimmed, 'base64');
  return key.byteLength === masterKeyBytes ? key : undefined;
}

/** The key that a file holds, or what is wrong with the file. */
export function readMasterKeyFile(path: string): Buffer | string {
  try {
    return parseMasterKey(readFileSync(path, 'utf8')) ?? `${path} does not hold 32 bytes as base64 or 64 hex digits`;
  } catch (error) {
    return `cannot read ${path} (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`;
  }
}

function isEmpty(directory: string): boolean {
  return !existsSync(directory) || readdirSync(directory).length === 0;
}

/**
 * The key of an embedded data directory, made at its first start, or what is wrong. It is linked into place whole and
 * on disk, or not at all; a directory that already holds a log never gets a new key, for it could not be read with it.
 */
export function keptMasterKey(dataDir: string): MasterKey | string {
  const path = join(dataDir, 'master.key');
  if (!existsSync(path) && !isEmpty(join(dataDir, 'log'))) {
    return `${path} is missing, though there is a log: put it back, or give HOMING_MASTER_KEY`;
  }
  try {
    const made = !existsSync(path) && makeKey(dataDir, path);
    const key = readMasterKeyFile(path);
    return typeof key === 'string' ? key : { key, made };
  } catch (error) {
    return `cannot make ${path} (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`;
  }
}

/** False when another process was first. */
function makeKey(dataDir: string, path: string): boolean {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const file = openSync(draft, 'wx', 0o600);
  try {
    writeSync(file, `${randomBytes(masterKeyBytes).toString('base64')}\n`);
    fsyncSync(file);
    linkSync(draft, path);
    const directory = openSync(dataDir, 'r');
    fsyncSync(directory);
    closeSync(directory);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    closeSync(file);
    rmSync(draft, { force: true });
  }
}
