// Link events: an event of type `$>` whose data is `<revision>@<stream>` stands for the event it names.
import type { LogEvent } from '../../event-log.js';
import { textOf } from '../../event-text.js';
import type { ServedLog } from '../served-log.js';
import type { ReadEventParts } from './read-response.js';

const linkType = '$>';
const linkPattern = /^([0-9]+)@(.+)$/s;

/** The target as `event` and the link as `link`; only the link when its target is gone or it names none. */
export function resolveLink(log: Pick<ServedLog, 'readEvent'>, event: LogEvent): ReadEventParts {
  if (event.type !== linkType) return { event };
  const match = linkPattern.exec(textOf(event.data));
  const revision = Number(match?.[1]);
  const stream = match?.[2];
  if (stream === undefined || !Number.isSafeInteger(revision)) return { link: event };
  return { link: event, event: log.readEvent(stream, revision) };
}
