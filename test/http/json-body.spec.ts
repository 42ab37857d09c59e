// What is read as a body, and what is not.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Problem } from '../../src/http/problem/problem.js';
import { depthMax, parseBody } from '../../src/http/request/json-body.js';

function codeOf(text: string): string {
  try {
    parseBody(text);
    return 'accepted';
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

describe('a body', () => {
  it('is JSON, or nothing', () => {
    expect(parseBody('')).toBeUndefined();
    expect(parseBody(' \n')).toBeUndefined();
    expect(parseBody('{"a":[1]}')).toEqual({ a: [1] });
  });

  it('gives back any JSON that is not too deep', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5, noUnicodeString: false }), (text) => {
        fc.pre(!text.includes('__proto__'));
        expect(parseBody(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('is refused with where it broke, never with what stood there', () => {
    for (const text of ['{"a": secret}', '{"a": "secret', 'secret', '[1,]']) {
      expect(codeOf(text)).toBe('malformed-json');
      expect(() => parseBody(text)).not.toThrow(/secret/);
    }
    expect(() => parseBody('{"a": "x')).toThrow('character 8');
    expect(() => parseBody('{"a": ')).toThrow('ends after 6 characters');
  });

  it('may nest so deep and no deeper, however deep somebody tries', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(codeOf(nested(depthMax))).toBe('accepted');
    expect(codeOf(nested(depthMax + 1))).toBe('too-deep');
    expect(codeOf(nested(500_000))).toMatch(/too-deep|malformed-json/);
  });

  it('has no field that would reach into prototypes', () => {
    expect(codeOf('{"a":{"__proto__":{"admin":true}}}')).toBe('unknown-field');
  });
});
