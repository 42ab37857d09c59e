// What analysis may know of a text: how long it is and whether it holds a link. Never a word of it.

import type { z } from 'zod';
import { graphemes } from '../vocabulary.js';
import type { BodyMeta } from './thread.events.js';

const wordSegmenter = new Intl.Segmenter('en', { granularity: 'word' });
const link = /(?:https?:\/\/|www\.)\S/i;

/** Words as the Unicode segmentation rules count them, which holds for scripts without spaces too. */
function words(text: string): number {
  let count = 0;
  for (const { isWordLike } of wordSegmenter.segment(text)) if (isWordLike) count += 1;
  return count;
}

export function bodyMeta(body: string | undefined, lang?: string): z.infer<typeof BodyMeta> {
  if (body === undefined) return { graphemes: 0, words: 0, hasLink: false };
  return {
    graphemes: graphemes(body),
    words: words(body),
    hasLink: link.test(body),
    ...(lang === undefined ? {} : { lang }),
  };
}
