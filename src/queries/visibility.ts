// Who may see what, in one place for every read (domain rules of visibility). A block in either direction wins over all.
import type { Relationship } from '../../projections/friends.document.js';
import { toMs } from '../kernel/clock.js';

export function isBlockedEitherWay(relationship: Relationship | undefined): boolean {
  return relationship?.blocking === true || relationship?.blockedBy === true;
}

/** @param viewer who looks, and when (ms); @param relationship how the viewer stands to the author */
export function isVisible(
  viewer: { readonly id: string; readonly nowMs: number },
  item: {
    readonly authorId: string;
    readonly audience: 'friends' | 'public';
    readonly exceptMemberIds?: readonly string[] | undefined;
    readonly expiresAt?: string | undefined;
  },
  relationship: Relationship | undefined,
): boolean {
  if (viewer.id === item.authorId) return true;
  if (isBlockedEitherWay(relationship) || item.exceptMemberIds?.includes(viewer.id)) return false;
  if (item.expiresAt !== undefined && viewer.nowMs >= toMs(item.expiresAt)) return false;
  switch (item.audience) {
    case 'public':
      return true;
    case 'friends':
      return relationship?.friendship === 'friends';
  }
}
