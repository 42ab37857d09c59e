// Pages of a sorted set, highest first, by an opaque keyset cursor (score and member, never an offset), so that nothing
// is skipped or repeated when entries come and go between two pages.
import { z } from 'zod';
import { Problem } from '../http/problem/problem.js';
import type { Scored } from '../kernel/projection.js';
import { scoredReply } from '../stores/documents/replies.js';
import type { Answer } from './read-side.js';

export const pageItemsMax = 100;
export const pageItemsDefault = 50;
/** Reads per page when what is read is not shown to this viewer. */
export const fetchesMax = 10;

export const PageLimit = z.coerce
  .number()
  .pipe(z.int().min(1).max(pageItemsMax))
  .default(pageItemsDefault)
  .meta({ description: `Items per page, 1 to ${pageItemsMax}.` });
export const PageCursor = z
  .string()
  .max(512)
  .optional()
  .meta({ description: 'The cursor of the page before; absent: the first page.' });

/** Opaque to clients; `kind` keeps the cursor of one question from being sent to another. */
export function encodeCursor(kind: string, { member, score }: Scored): string {
  return Buffer.from(`${kind} ${score} ${member}`, 'utf8').toString('base64url');
}

/** @throws Problem `bad-cursor` */
export function decodeCursor(kind: string, cursor: string | undefined): Scored | undefined {
  if (cursor === undefined) return undefined;
  const match = /^(\S+) (-?\d{1,16}) (\S{1,256})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (!match || match[1] !== kind) throw new Problem('bad-cursor', 'this is not a cursor of this question');
  return { score: Number(match[2]), member: match[3] as string };
}

/** At most `count` entries below `after`, highest first; fewer only at the end. */
export async function entriesBelow(
  answer: Answer,
  at: { readonly projection: string; readonly ownerId: string; readonly key: string },
  after: Scored | undefined,
  count: number,
): Promise<Scored[]> {
  const found: Scored[] = [];
  const highest = after ? String(after.score) : '+inf';
  // Entries of the cursor's own score come again and are left out; there are hardly ever more than a page of them.
  for (let offset = 0; found.length < count; ) {
    const [reply] = await answer.read(at.projection, at.ownerId, (pipeline, key) =>
      pipeline.zrevrangebyscore(key(at.key), highest, '-inf', 'WITHSCORES', 'LIMIT', offset, count + 1),
    );
    const entries = scoredReply(reply);
    for (const entry of entries) {
      const below = !after || entry.score < after.score || entry.member < after.member;
      if (below && found.length < count) found.push(entry);
    }
    if (entries.length < count + 1) break;
    offset += entries.length;
  }
  return found;
}
