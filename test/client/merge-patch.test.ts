import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyMergePatch } from '@swarmlens/client';

/** RFC 7396, appendix A: original, patch, result. */
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

describe('mergePatch', () => {
  test.each(VECTORS)('%s patched with %s is %s', (original, patch, result) => {
    expect(applyMergePatch(JSON.parse(original), JSON.parse(patch))).toEqual(JSON.parse(result));
  });

  test('a patch applied twice does what it does once', () => {
    fc.assert(
      fc.property(json, json, (target, patch) => {
        const once = applyMergePatch(target, patch);
        expect(applyMergePatch(once, patch)).toEqual(once);
      }),
    );
  });

  test('an empty patch leaves an object as it is', () => {
    fc.assert(
      fc.property(jsonObject, (target) => {
        expect(applyMergePatch(target, {})).toEqual(target);
      }),
    );
  });

  test('an object without nulls, patched into nothing, is itself', () => {
    fc.assert(
      fc.property(json, (value) => {
        fc.pre(!JSON.stringify(value).includes('null'));
        expect(applyMergePatch(undefined, value)).toEqual(value);
      }),
    );
  });

  test('neither argument is changed', () => {
    fc.assert(
      fc.property(json, json, (target, patch) => {
        const before = JSON.stringify([target, patch]);
        applyMergePatch(target, patch);
        expect(JSON.stringify([target, patch])).toBe(before);
      }),
    );
  });

  test('what the patch leaves alone is the same object', () => {
    const target = { kept: { a: 1 }, changed: { b: 1 } };
    expect(applyMergePatch(target, { changed: { b: 2 } })).toHaveProperty('kept', target.kept);
    expect((applyMergePatch(target, { changed: { b: 2 } }) as typeof target).kept).toBe(target.kept); // as the line above says
  });

  test('keys that objects inherit are keys like any other', () => {
    const merged = applyMergePatch(
      {},
      JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"x":1}}}'),
    );
    expect(JSON.stringify(merged)).toBe('{"__proto__":{"polluted":true},"constructor":{"prototype":{"x":1}}}');
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
    expect({}).not.toHaveProperty('polluted');
  });
});
