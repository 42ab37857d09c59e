// Words that several categories share.
import { describe, expect, it } from '@jest/globals';
import { isEmoji } from '../../src/domain/vocabulary.js';

describe('one emoji', () => {
  it.each(['❤️', '❤', '😂', '👍🏽', '👩🏽‍🚀', '👨‍👩‍👧‍👦', '👨🏻‍👩🏻‍👧🏻‍👦🏻', '🇦🇹', '🏴󠁧󠁢󠁳󠁣󠁴󠁿', '5️⃣', '#️⃣', '☺️'])(
    'is %s',
    (text) => expect(isEmoji(text)).toBe(true),
  );
  it.each(['', 'a', 'ok', '5', '+', '!', '😂😂', '😂 ', '❤️a', '🇦', '🇦🇹🇩🇪', 'é', '中', '\u200D', '\uFE0F'])(
    'is not %j',
    (text) => expect(isEmoji(text)).toBe(false),
  );
});
