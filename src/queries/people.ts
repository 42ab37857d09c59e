// What answers show of people and brands, and how the viewer stands to them.
import { type BrandCard, cardKeys, type MemberCard } from '../../projections/cards.document.js';
import { friendKeys, type Relationship } from '../../projections/friends.document.js';
import { keyedHash } from '../kernel/ids.js';
import { type Answer, parsed } from './read-side.js';

export interface Person {
  readonly memberId: string;
  /** Absent: not known any more. */
  readonly handle?: string | undefined;
  readonly displayName?: string | undefined;
}

/** The cards of these members, by id. Unknown ones are left out. */
export async function memberCards(answer: Answer, memberIds: Iterable<string>): Promise<Map<string, MemberCard>> {
  const ids = [...new Set(memberIds)];
  const cards = await answer.readEach(
    'cards',
    ids,
    (pipeline, key, index) => pipeline.get(key(cardKeys.member(ids[index] as string))),
    (reply) => parsed<MemberCard>(reply),
  );
  return new Map(cards.flatMap((card) => (card ? [[card.memberId, card] as const] : [])));
}

export async function brandCards(answer: Answer, brandIds: Iterable<string>): Promise<Map<string, BrandCard>> {
  const ids = [...new Set(brandIds)];
  const cards = await answer.readEach(
    'cards',
    ids,
    (pipeline, key, index) => pipeline.get(key(cardKeys.brand(ids[index] as string))),
    (reply) => parsed<BrandCard>(reply),
  );
  return new Map(cards.flatMap((card) => (card ? [[card.brandId, card] as const] : [])));
}

export function personOf(cards: ReadonlyMap<string, MemberCard>, memberId: string): Person {
  const card = cards.get(memberId);
  return { memberId, handle: card?.handle, displayName: card?.displayName };
}

/** How the viewer stands to each of these; strangers are left out. */
export async function relationshipsOf(
  answer: Answer,
  viewerId: string,
  otherIds: Iterable<string>,
): Promise<Map<string, Relationship>> {
  const ids = [...new Set(otherIds)];
  if (ids.length === 0) return new Map();
  const [replies] = await answer.read('friends', viewerId, (pipeline, key) =>
    pipeline.hmget(key(friendKeys.relationships(viewerId)), ...ids),
  );
  const relationships = new Map<string, Relationship>();
  for (const [index, id] of ids.entries()) {
    const relationship = parsed<Relationship>((replies as unknown[])[index]);
    if (relationship) relationships.set(id, relationship);
  }
  return relationships;
}

/** The id under which one brand knows a member: the same within the brand, of no use to any other. */
export function brandScopedMemberId(key: Buffer, brandId: string, memberId: string): string {
  return keyedHash(key, 'brand-member', brandId, memberId);
}
