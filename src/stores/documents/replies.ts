// Redis answers differ between protocol 2 and 3 where scores are concerned: a flat list of texts, or pairs with numbers.
import type { Scored } from '../../kernel/projection.js';

/** The reply of a sorted-set read WITHSCORES, in the order it came. */
export function scoredReply(reply: unknown): Scored[] {
  const scored: Scored[] = [];
  const list = reply as readonly unknown[];
  if (Array.isArray(list[0])) {
    for (const [member, score] of list as readonly [string, string | number][]) {
      scored.push({ member, score: Number(score) });
    }
  } else {
    for (let index = 0; index < list.length; index += 2) {
      scored.push({ member: String(list[index]), score: Number(list[index + 1]) });
    }
  }
  return scored;
}

/** A pipeline's answers; the first failed command fails all. */
export function pipelineReplies(replies: readonly [Error | null, unknown][] | null): unknown[] {
  if (!replies) throw new Error('the pipeline was discarded');
  return replies.map(([error, value]) => {
    if (error) throw error;
    return value;
  });
}
