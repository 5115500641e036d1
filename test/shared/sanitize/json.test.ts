import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  REDACTED,
  DEFAULT_SANITIZE_LIMITS,
  sanitizeJson,
  sanitizeJsonText,
} from '../../../src/shared/sanitize/index.js';
import { PASSWORD, SECRETS } from '../../support/secrets.js';

/** JSON of any shape that contains `planted` as a value, in a text, in a name, or under a secret name. */
function withPlanted(planted: string): fc.Arbitrary<unknown> {
  const telling = fc.constantFrom('password', 'clientSecret', 'API_KEY', 'x-api-key', 'authorization', 'access_token');
  const { node } = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.jsonValue({ maxDepth: 1 }),
      fc.constant(`so it is: ${planted}`),
      fc.dictionary(telling, fc.constantFrom(PASSWORD, [PASSWORD], { user: PASSWORD })),
      fc.array(tie('node'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'c', '\u0007d', planted, '__proto__', 'constructor'), tie('node'), {
        maxKeys: 4,
      }),
    ),
  }));
  return node;
}

const secret = fc.constantFrom(...Object.values(SECRETS));

describe('sanitizeJson', () => {
  test('for any JSON: the result contains no planted secret', () => {
    fc.assert(
      fc.property(
        secret.chain((one) => withPlanted(one).map((value) => ({ one, value }))),
        ({ one, value }) => {
          const text = JSON.stringify(value);
          for (const { value: clean } of [sanitizeJson(value), sanitizeJsonText(text)]) {
            const all = JSON.stringify(clean);
            expect(all).not.toContain(PASSWORD);
            expect(all).not.toContain(JSON.stringify(one).slice(1, -1));
            expect(all).not.toMatch(/"(?:__proto__|constructor)":|\\u0007/);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('for any JSON: returns a clean value unchanged, and a second run changes nothing', () => {
    fc.assert(
      fc.property(withPlanted('nothing'), (value) => {
        const once = sanitizeJson(value);
        expect(sanitizeJson(once.value)).toEqual({ value: once.value, changes: null });
        if (once.changes === null) expect(once.value).toBe(value);
      }),
    );
  });

  test('for any JSON: text and parsed value give the same result', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), withPlanted('nothing')), (value) => {
        expect(sanitizeJsonText(JSON.stringify(value))).toEqual(sanitizeJson(JSON.parse(JSON.stringify(value))));
      }),
    );
  });

  test('does not modify its input', () => {
    fc.assert(
      fc.property(withPlanted(SECRETS['npm token'] ?? ''), (value) => {
        const before = JSON.stringify(value);
        sanitizeJson(value);
        expect(JSON.stringify(value)).toBe(before);
      }),
    );
  });

  test.each<[unknown, unknown]>([
    [{ password: 'x', apiKey: 17, client_secret: ['a'], credentials: { user: 'u' } }, null],
    [{ Authorization: 'Bearer x', 'Set-Cookie': 'a=b', 'X-API-Key': 'k', awsSecretAccessKey: 'k' }, null],
    [{ passwordHash: 'h', apiKeyValue: 'k', secret2: 's', 'mcp-session-id': 'i', privateKey: 'p' }, null],
  ])('%j: all of it is redacted', (value, _) => {
    const names = Object.keys(value as object); // every entry of the table above is an object
    expect(sanitizeJson(value).value).toEqual(Object.fromEntries(names.map((name) => [name, REDACTED])));
  });

  test.each<[unknown]>([
    [{ tokenUsage: 17, max_tokens: 4096, tokens: 5, token: 3, tokens_used: '12', token_type: 'bearer' }],
    [{ secretary: 'Bob', 'secret-keeper': { status: 'busy' }, keyboard: 'qwerty', key: 'a', primaryKey: 3 }],
    [{ password: null, hasPassword: true, secret: false, apiKey: '', cookie: null }],
    [{ id: '550e8400-e29b-41d4-a716-446655440000', sessionId: 'session-1732', name: 'line\nline\ttab ü🐝' }],
  ])('%j stays as it is', (value) => {
    expect(sanitizeJson(value)).toEqual({ value, changes: null });
    expect(sanitizeJsonText(JSON.stringify(value)).value).toEqual(value);
  });

  test('keeps token counts next to a token', () => {
    expect(sanitizeJson({ tokens: { used: 5, access: 'abc', list: ['d', 6] } })).toEqual({
      value: { tokens: { used: 5, access: REDACTED, list: [REDACTED, 6] } },
      changes: { redacted: 2, stripped: 0, cut: 0, dropped: 0 },
    });
  });

  test('removes control characters, colors and direction changes, and keeps lines', () => {
    expect(sanitizeJson(['\u001b[31mred\u001b[0m\u0000', 'a\r\nb', '\u202eevil\u2066', '\u0085'])).toEqual({
      value: ['red', 'a\nb', 'evil', ''],
      changes: { redacted: 0, stripped: 4, cut: 0, dropped: 0 },
    });
  });

  test('detects a secret that contains a control character', () => {
    const token = SECRETS['GitHub token'] ?? '';
    expect(sanitizeJson(`${token.slice(0, 2)}\u0000${token.slice(2)}`).value).toBe(REDACTED);
    expect(sanitizeJsonText(`{"pass\\u0007word":"${PASSWORD}"}`).value).toEqual({ password: REDACTED });
  });

  test('limits texts, names, lists, objects and depth, and counts the changes', () => {
    const limits = { ...DEFAULT_SANITIZE_LIMITS, maxTextLength: 3, maxNameLength: 2, maxEntries: 2, maxDepth: 2 };
    expect(sanitizeJson({ abc: 'abcd', b: [1, 2, 3], c: 1 }, limits)).toEqual({
      value: { ab: 'abc', b: [1, 2] },
      changes: { redacted: 0, stripped: 0, cut: 4, dropped: 0 },
    });
    expect(sanitizeJsonText('{"a":[[1]],"b":"ab🐝"}', limits)).toEqual({
      value: { a: [null], b: 'ab' },
      changes: { redacted: 0, stripped: 0, cut: 2, dropped: 0 },
    });
    const few = sanitizeJson(
      [
        [1, 2],
        [3, 4],
      ],
      { ...DEFAULT_SANITIZE_LIMITS, maxValues: 6 },
    );
    expect(few.value).toEqual([[1, 2], [3]]);
  });

  test('drops names that access the prototype', () => {
    const bomb = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"a":{"__proto__":[]},"b":1}';
    const { value, changes } = sanitizeJsonText(bomb);
    expect(Object.keys(value as object)).toEqual(['a', 'b']); // the text is an object
    expect(JSON.stringify(value)).toBe('{"a":{},"b":1}');
    expect(changes?.dropped).toBe(3);
    expect(Object.assign({}, value)).not.toHaveProperty('polluted');
    expect({}).not.toHaveProperty('polluted');
  });

  test.each([
    ['lists', '[', ']'],
    ['objects', '{"a":', '}'],
    ['objects under secret names', '{"tokens":', '}'],
  ])('limits a million levels of %s', (_label, open, close) => {
    const levels = 1_000_000;
    const { value, changes } = sanitizeJsonText(`${open.repeat(levels)}1${close.repeat(levels)}`);
    expect(changes?.cut).toBe(1);
    expect(JSON.stringify(value).length).toBeLessThan(32 * (open.length + close.length) + 5);
  });

  test('limits a list of millions of entries', () => {
    expect(sanitizeJsonText(`[${'1,'.repeat(2_000_000)}1]`).value).toHaveLength(DEFAULT_SANITIZE_LIMITS.maxEntries);
  });

  test.each([[undefined], [() => 1], [Symbol('x')], [10n], [NaN], [new Date(0)], [new Map()]])(
    'does not throw for a value that is not JSON: %s',
    (value) => {
      expect(() => sanitizeJson({ value })).not.toThrow();
    },
  );
});
