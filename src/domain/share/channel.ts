// How sure we are of where a share went, and when a later hint may correct it.
import type { z } from 'zod';
import type { ChannelEvidence, OffPlatformDestination } from '../vocabulary.js';

export interface Channel {
  readonly destination: z.infer<typeof OffPlatformDestination>;
  readonly channelEvidence: z.infer<typeof ChannelEvidence>;
}

const strength = { unknown: 0, inferred: 1, os_callback: 2, declared: 3 } as const;
/** They say how the content left, not where it went. */
const unspecific: readonly Channel['destination'][] = ['system_share_sheet', 'copy_link', 'other'];

/** A hint of some evidence that names a place for what was unspecific, or names another place on stronger evidence. */
export function tellsMore(hint: Channel, known: Channel): boolean {
  if (hint.destination === known.destination || unspecific.includes(hint.destination)) return false;
  if (unspecific.includes(known.destination)) return hint.channelEvidence !== 'unknown';
  return strength[hint.channelEvidence] > strength[known.channelEvidence];
}
