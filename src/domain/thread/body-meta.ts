// What analysis may know of a message: how long its text is, whether it holds a link, what it carries. Never a word of it.

import type { z } from 'zod';
import { graphemes } from '../vocabulary.js';
import type { Attachment, BodyMeta } from './thread.events.js';

const wordSegmenter = new Intl.Segmenter('en', { granularity: 'word' });
const link = /(?:https?:\/\/|www\.)\S/i;

/** Words as the Unicode segmentation rules count them, which holds for scripts without spaces too. */
function words(text: string): number {
  let count = 0;
  for (const { isWordLike } of wordSegmenter.segment(text)) if (isWordLike) count += 1;
  return count;
}

/** Whether there is a link in a text (C2: none before the other has accepted). */
export function hasLink(body: string | undefined): boolean {
  return body !== undefined && link.test(body);
}

export function bodyMeta({
  body,
  lang,
  attachments,
}: {
  readonly body?: string | undefined;
  readonly lang?: string | undefined;
  readonly attachments: readonly Pick<Attachment, 'kind'>[];
}): z.infer<typeof BodyMeta> {
  return {
    graphemes: body === undefined ? 0 : graphemes(body),
    words: body === undefined ? 0 : words(body),
    hasLink: hasLink(body),
    mediaKinds: [...new Set(attachments.map(({ kind }) => kind))].toSorted(),
    ...(body === undefined || lang === undefined ? {} : { lang }),
  };
}
