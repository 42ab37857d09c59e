// What is read as a body, and what is not.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Problem } from '../../src/http/problem/problem.js';
import { depthMax, judgeShape, parseBody } from '../../src/http/request/json-body.js';

const parse = (text: string, options = {}) => parseBody(Buffer.from(text), options);

function codeOf(body: string | Buffer): string {
  try {
    parseBody(Buffer.from(body));
    return 'accepted';
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

describe('a body', () => {
  it('is JSON, or nothing', () => {
    expect(parse('')).toBeUndefined();
    expect(parse(' \n')).toBeUndefined();
    expect(parse('{"a":[1]}')).toEqual({ a: [1] });
  });

  it('gives back any JSON that is not too deep', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5, noUnicodeString: false }), (text) => {
        fc.pre(!/__proto__|\\u0000|\p{Surrogate}|\\ud[89a-f]/iu.test(text));
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('is refused with where it broke, never with what stood there', () => {
    for (const text of ['{"a": secret}', '{"a": "secret', 'secret', '[1,]']) {
      expect(codeOf(text)).toBe('malformed-json');
      expect(() => parse(text)).not.toThrow(/secret/);
    }
    expect(() => parse('{"a": "x')).toThrow('character 8');
    expect(() => parse('{"a": ')).toThrow('ends after 6 characters');
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

  it('is UTF-8 with whole characters: what could not be kept as it came is refused', () => {
    expect(codeOf(Buffer.from([0x22, 0xff, 0xfe, 0x22]))).toBe('malformed-json');
    expect(codeOf(Buffer.from('{"a":"ü"}', 'latin1'))).toBe('malformed-json');
    expect(codeOf('{"a":"\\ud800"}')).toBe('invalid-body');
    expect(codeOf('{"\\udfff":1}')).toBe('invalid-body');
    expect(codeOf('["a\\u0000b"]')).toBe('invalid-body');
    expect(parse('\ufeff{"a":"\\ud83d\\ude00"}')).toEqual({ a: '😀' });
  });

  it('that is a list of things judged alone is taken with its bad items', () => {
    const nested = '['.repeat(depthMax) + ']'.repeat(depthMax);
    const items = parse(`[{"a":1}, {"__proto__":1}, {"a":"\\ud800"}, ${nested}]`, { itemsAlone: true }) as unknown[];
    expect(items.map((item) => judgeShape(item)?.code)).toEqual([
      undefined,
      'unknown-field',
      'invalid-body',
      'too-deep',
    ]);
    expect(() => parse('{"__proto__":1}', { itemsAlone: true })).toThrow('unknown-field');
  });
});
