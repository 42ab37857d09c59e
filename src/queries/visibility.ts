// Who may see what, in one place for every read (domain rules of visibility). A block in either direction wins over all.
import type { Relationship } from '../../projections/friends.document.js';

export function isBlockedEitherWay(relationship: Relationship | undefined): boolean {
  return relationship?.blocking === true || relationship?.blockedBy === true;
}

/** @param relationship how the viewer stands to the author */
export function isVisible(
  viewerId: string,
  item: { readonly authorId: string; readonly audience: 'friends' | 'public' },
  relationship: Relationship | undefined,
): boolean {
  if (viewerId === item.authorId) return true;
  if (isBlockedEitherWay(relationship)) return false;
  switch (item.audience) {
    case 'public':
      return true;
    case 'friends':
      return relationship?.friendship === 'friends';
  }
}
