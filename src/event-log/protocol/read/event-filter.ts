// Server-side filters of `$all`: prefixes or a regular expression on the stream's name or the event's type, and how many
// events are considered between two checkpoints. Links are filtered as links, before they are resolved.
import type streams from '@eventstore/db-client/generated/streams_pb.js';
import type { LogEvent } from '../../event-log.js';
import { invalidArgument } from '../exceptions.js';

/** Events considered at a time when the client names no window: the real server's read batch. */
const windowDefault = 32;
/** A regular expression longer than this is refused. */
const regexLengthMax = 1_024;
/** Only this much of a name is matched. A pathological expression still costs the server time: its port is no public one. */
const matchedLengthMax = 1_024;

export interface EventFilter {
  readonly accepts: (event: LogEvent) => boolean;
  /** Considered events between two checkpoints. */
  readonly checkpointInterval: number;
}

/** @throws ProtocolError INVALID_ARGUMENT */
export function readFilter(options: streams.ReadReq.Options.FilterOptions): EventFilter {
  const window = options.hasMax() ? options.getMax() : windowDefault;
  if (window <= 0) throw invalidArgument('the search window of a filter must be greater than 0');
  const multiplier = options.getCheckpointintervalmultiplier();
  return { accepts: acceptance(options), checkpointInterval: window * Math.max(multiplier, 1) };
}

function acceptance(options: streams.ReadReq.Options.FilterOptions): (event: LogEvent) => boolean {
  const byStream = options.getStreamIdentifier();
  if (byStream) {
    const accepts = expression(byStream);
    return (event) => accepts(event.stream);
  }
  const byType = options.getEventType();
  if (!byType) throw invalidArgument('a filter needs an expression on the stream name or on the event type');
  const accepts = expression(byType);
  return (event) => accepts(event.type);
}

function expression(from: streams.ReadReq.Options.FilterOptions.Expression): (name: string) => boolean {
  const regex = from.getRegex();
  if (regex !== '') return matcher(regex);
  const prefixes = from.getPrefixList();
  return (name) => prefixes.some((prefix) => name.startsWith(prefix));
}

function matcher(source: string): (name: string) => boolean {
  if (source.length > regexLengthMax) {
    throw invalidArgument(`a regular expression of ${source.length} characters is over the limit of ${regexLengthMax}`);
  }
  const regex = dotNetRegex(source);
  return (name) => regex.test(name.length > matchedLengthMax ? name.slice(0, matchedLengthMax) : name);
}

/** Options at the very beginning (`(?i)`) are .NET's way to say what JavaScript says in flags of the same letters. */
function dotNetRegex(source: string): RegExp {
  const [options = '', letters = ''] = /^\(\?([ims]+)\)/.exec(source) ?? [];
  const flags = [...new Set(letters)].join('');
  const pattern = source.slice(options.length);
  try {
    return new RegExp(pattern, `u${flags}`);
  } catch {
    return looseRegex(pattern, flags);
  }
}

/** Escapes that mean nothing (`\-`) are errors in JavaScript's unicode mode and harmless in .NET. */
function looseRegex(pattern: string, flags: string): RegExp {
  try {
    return new RegExp(pattern, flags);
  } catch (error) {
    throw invalidArgument(`'${pattern}' is not a regular expression: ${String(error)}`);
  }
}
