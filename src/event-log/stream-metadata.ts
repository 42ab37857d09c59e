// A stream's metadata is JSON in its metastream `$$<stream>`. What it hides is decided here; the text itself is kept as
// it was written, because it may hold keys and numbers (2^63-1) that do not survive JSON.parse and back.
import type { NewEvent, StreamMetadata } from './event-log.js';
import { textOf } from './event-text.js';

export const metadataEventType = '$metadata';
export const tombstoneEventType = '$streamDeleted';
/** `$tb` of a soft-deleted stream: 2^63-1. */
export const softDeletedText = '{"$tb":9223372036854775807}';
const softDeletedFrom = 2 ** 63;

export function metastreamOf(stream: string): string {
  return `$$${stream}`;
}

/** The stream that a metastream describes; undefined for any other stream. */
export function describedStream(stream: string): string | undefined {
  return stream.startsWith('$$') ? stream.slice(2) : undefined;
}

/** What of a stream's metadata decides about visibility. */
export interface Retention extends StreamMetadata {
  readonly softDeleted: boolean;
}

export const noRetention: Retention = { softDeleted: false };
/** A metastream shows only its newest version. */
export const metastreamRetention: Retention = { softDeleted: false, maxCount: 1 };

function count(value: unknown, least: number): number | undefined {
  return typeof value === 'number' && value >= least && Number.isInteger(value) ? value : undefined;
}

/** Reads the reserved keys; text that is no JSON object, and values of the wrong kind, hide nothing. */
export function parseRetention(json: string): Retention {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return noRetention;
  }
  if (typeof value !== 'object' || value === null) return noRetention;
  const keys = value as Record<string, unknown>;
  const truncateBefore = count(keys['$tb'], 0);
  const maxCount = count(keys['$maxCount'], 1);
  const maxAgeSeconds = count(keys['$maxAge'], 1);
  const softDeleted = truncateBefore !== undefined && truncateBefore >= softDeletedFrom;
  return {
    softDeleted,
    ...(truncateBefore !== undefined && !softDeleted && { truncateBefore }),
    ...(maxCount !== undefined && { maxCount }),
    ...(maxAgeSeconds !== undefined && { maxAgeSeconds }),
  };
}

/** What a metadata event says; one that is not JSON hides nothing. */
export function retentionOf(event: Pick<NewEvent, 'contentType' | 'data'>): Retention {
  return event.contentType === 'application/json' ? parseRetention(textOf(event.data)) : noRetention;
}

export function metadataJson(metadata: StreamMetadata): string {
  return JSON.stringify({
    $maxAge: metadata.maxAgeSeconds,
    $maxCount: metadata.maxCount,
    $tb: metadata.truncateBefore,
  });
}

/** The lowest revision that `$tb` and `$maxCount` leave visible. */
export function firstVisible(retention: Retention, lastRevision: number): number {
  const byCount = retention.maxCount === undefined ? 0 : lastRevision - retention.maxCount + 1;
  return Math.max(0, retention.truncateBefore ?? 0, byCount);
}

export function isExpired(retention: Retention, recordedAt: number, now: number): boolean {
  return retention.maxAgeSeconds !== undefined && recordedAt < now - retention.maxAgeSeconds * 1000;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Where the value of a top-level key stands in a JSON object's text, the last one when it is there twice. */
function valueSpan(json: string, key: string): Span | undefined {
  // Strings whole (so that braces and colons in them are skipped), brackets, separators, and runs of anything else.
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s"{}[\]:,]+/g;
  let depth = 0;
  let name: string | undefined;
  let from = -1;
  let found: Span | undefined;
  let end = 0;
  for (const match of json.matchAll(token)) {
    const text = match[0];
    if (depth === 1 && (text === ',' || text === '}') && from >= 0) {
      if (name === key) found = { from, to: end };
      from = -1;
      name = undefined;
    } else if (depth === 1 && text === ':' && from === -2) {
      from = -3;
    } else if (depth === 1 && from === -3) {
      from = match.index;
    } else if (depth === 1 && from === -1 && text.startsWith('"')) {
      name = JSON.parse(text) as string;
      from = -2;
    }
    if (text === '{' || text === '[') depth += 1;
    if (text === '}' || text === ']') depth -= 1;
    end = match.index + text.length;
  }
  return found;
}

/** The same text with `$tb` set to `revision`: every other key stays as it was written. */
export function withTruncateBefore(json: string, revision: number): string {
  const span = valueSpan(json, '$tb');
  if (span) return `${json.slice(0, span.from)}${revision}${json.slice(span.to)}`;
  const open = json.indexOf('{');
  const rest = json.slice(open + 1);
  return `${json.slice(0, open + 1)}"$tb":${revision}${/^\s*\}/.test(rest) ? '' : ','}${rest}`;
}
