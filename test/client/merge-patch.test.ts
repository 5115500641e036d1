import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyMergePatch } from '@swarmlens/client';

/** Examples of RFC 7396, appendix A: original, patch, result. */
const VECTORS: readonly (readonly [string, string, string])[] = [
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', 'null', 'null'],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
];

const json = fc.jsonValue({ maxDepth: 3 });
const jsonObject = fc.dictionary(fc.string(), json);

describe('applyMergePatch', () => {
  test.each(VECTORS)('patches %s with %s to %s', (original, patch, result) => {
    expect(applyMergePatch(JSON.parse(original), JSON.parse(patch))).toEqual(JSON.parse(result));
  });

  test('for any target and patch: applying the patch twice equals applying it once', () => {
    fc.assert(
      fc.property(json, json, (target, patch) => {
        const once = applyMergePatch(target, patch);
        expect(applyMergePatch(once, patch)).toEqual(once);
      }),
    );
  });

  test('for any object: an empty patch changes nothing', () => {
    fc.assert(
      fc.property(jsonObject, (target) => {
        expect(applyMergePatch(target, {})).toEqual(target);
      }),
    );
  });

  test('for any value without nulls: patching nothing with it returns it', () => {
    fc.assert(
      fc.property(json, (value) => {
        fc.pre(!JSON.stringify(value).includes('null'));
        expect(applyMergePatch(undefined, value)).toEqual(value);
      }),
    );
  });

  test('for any target and patch: neither is modified', () => {
    fc.assert(
      fc.property(json, json, (target, patch) => {
        const before = JSON.stringify([target, patch]);
        applyMergePatch(target, patch);
        expect(JSON.stringify([target, patch])).toBe(before);
      }),
    );
  });

  test('keeps the identity of unchanged objects', () => {
    const target = { kept: { a: 1 }, changed: { b: 1 } };
    expect(applyMergePatch(target, { changed: { b: 2 } })).toHaveProperty('kept', target.kept);
    expect((applyMergePatch(target, { changed: { b: 2 } }) as typeof target).kept).toBe(target.kept); // checked in the previous line
  });

  test('treats inherited property names as ordinary keys', () => {
    const merged = applyMergePatch(
      {},
      JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"x":1}}}'),
    );
    expect(JSON.stringify(merged)).toBe('{"__proto__":{"polluted":true},"constructor":{"prototype":{"x":1}}}');
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
    expect({}).not.toHaveProperty('polluted');
  });
});
