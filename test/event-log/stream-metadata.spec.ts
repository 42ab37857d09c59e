import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  firstVisible,
  isExpired,
  metadataJson,
  noRetention,
  parseRetention,
  softDeletedText,
  withTruncateBefore,
} from '../../src/event-log/stream-metadata.js';

describe('stream metadata', () => {
  it('is read as it was set', () => {
    const metadata = fc.record(
      { maxCount: fc.integer({ min: 1 }), maxAgeSeconds: fc.integer({ min: 1 }), truncateBefore: fc.nat() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(metadata, (given) => {
        expect(parseRetention(metadataJson(given))).toEqual({ softDeleted: false, ...given });
      }),
    );
  });

  it('hides nothing when it is no JSON object or its values are of the wrong kind', () => {
    for (const text of ['', 'not json', '[]', 'null', '7', '"text"', '{"$maxCount":"3","$tb":-1,"$maxAge":0.5}']) {
      expect(parseRetention(text)).toEqual(noRetention);
    }
  });

  it('knows 2^63-1 for a soft delete, whatever stands beside it', () => {
    expect(parseRetention(softDeletedText)).toEqual({ softDeleted: true });
    expect(parseRetention('{"$maxCount": 2, "$tb": 9223372036854775807}')).toEqual({ softDeleted: true, maxCount: 2 });
    expect(parseRetention('{"$tb": 9007199254740991}')).toEqual({
      softDeleted: false,
      truncateBefore: 9007199254740991,
    });
  });

  it('says which revision is the first to be seen', () => {
    expect(firstVisible({ softDeleted: false }, 9)).toBe(0);
    expect(firstVisible({ softDeleted: false, maxCount: 3 }, 9)).toBe(7);
    expect(firstVisible({ softDeleted: false, maxCount: 30 }, 9)).toBe(0);
    expect(firstVisible({ softDeleted: false, maxCount: 3, truncateBefore: 8 }, 9)).toBe(8);
    expect(firstVisible({ softDeleted: false, truncateBefore: 20 }, 9)).toBe(20);
  });

  it('says when an event is too old', () => {
    const retention = { softDeleted: false, maxAgeSeconds: 10 };
    expect(isExpired(retention, 50_000, 60_000)).toBe(false);
    expect(isExpired(retention, 49_999, 60_000)).toBe(true);
    expect(isExpired({ softDeleted: false }, 0, Number.MAX_SAFE_INTEGER)).toBe(false);
  });

  describe('with another truncation mark', () => {
    it('keeps every other key as it was written, numbers too large for JavaScript included', () => {
      expect(withTruncateBefore(softDeletedText, 5)).toBe('{"$tb":5}');
      expect(withTruncateBefore('{ "big" : 9223372036854775807, "$tb" :9223372036854775807 , "x":{"$tb":1}}', 12)).toBe(
        '{ "big" : 9223372036854775807, "$tb" :12 , "x":{"$tb":1}}',
      );
      expect(withTruncateBefore('{"$maxCount":3}', 7)).toBe('{"$tb":7,"$maxCount":3}');
      expect(withTruncateBefore('{}', 7)).toBe('{"$tb":7}');
      expect(withTruncateBefore('{"a":"\\"$tb\\":1,{","$tb":1}', 7)).toBe('{"a":"\\"$tb\\":1,{","$tb":7}');
      expect(withTruncateBefore('{"\\u0024tb":1}', 7)).toBe('{"\\u0024tb":7}');
    });

    it('changes that key and no other, in any object', () => {
      const objects = fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('$tb', '$acl')), fc.jsonValue());
      fc.assert(
        fc.property(objects, fc.nat(), fc.constantFrom(undefined, 2), (object, mark, indent) => {
          const before: unknown = JSON.parse(JSON.stringify(object));
          const after: unknown = JSON.parse(withTruncateBefore(JSON.stringify(object, null, indent), mark));
          expect(after).toEqual({ ...(before as object), $tb: mark });
        }),
      );
    });
  });
});
