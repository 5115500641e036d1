import crypto, { createHash } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { parseBearerToken, MAX_TOKEN_LENGTH } from '../../src/auth/bearer-token.js';
import { parseDuration } from '../../src/cli/arguments.js';
import { hashSecret, verifySecret, createStaticToken, parseStaticToken } from '../../src/auth/static-token.js';
import { createViewer, PERMISSIONS, requirePermission } from '../../src/auth/viewer.js';
import { UNRESTRICTED } from '../../src/model/index.js';
import { SwarmlensError } from '../../src/shared/index.js';

const B64_TOKEN = fc.stringMatching(/^[A-Za-z0-9\-._~+/]{1,80}={0,2}$/);

describe('static tokens', () => {
  test('have a unique id and 256 random bits', () => {
    const tokens = Array.from({ length: 100 }, createStaticToken);
    for (const { id, secret, text } of tokens) {
      expect(text).toBe(`swl_${id}_${secret}`);
      expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
      expect(parseStaticToken(text)).toEqual({ id, secret });
    }
    expect(new Set(tokens.map(({ id }) => id)).size).toBe(100);
    expect(new Set(tokens.map(({ secret }) => secret)).size).toBe(100);
  });

  test('are stored as the SHA-256 of their secret', () => {
    const { secret } = createStaticToken();
    expect(hashSecret(secret)).toBe(createHash('sha256').update(secret).digest('hex'));
    expect(verifySecret(hashSecret(secret), secret)).toBe(true);
    // The last character of 256 bits in base64 has two unused bits, which are compared as well.
    const last = secret.charCodeAt(42);
    for (const other of [secret.slice(0, 42) + String.fromCharCode(last + 1), secret.slice(1), '', `${secret}=`]) {
      expect(verifySecret(hashSecret(secret), other)).toBe(false);
    }
  });

  test('are compared by their hashes in constant time', () => {
    const compare = vi.spyOn(crypto, 'timingSafeEqual');
    syncBuiltinESMExports();
    const { secret } = createStaticToken();
    expect(verifySecret(hashSecret(secret), secret)).toBe(true);
    expect(verifySecret(hashSecret(secret), 'another')).toBe(false);
    const hashes = [secret, 'another'].map((text) => createHash('sha256').update(text).digest());
    expect(compare.mock.calls).toEqual(hashes.map((hash) => [hashes[0], hash]));
    compare.mockRestore();
    syncBuiltinESMExports();
  });

  test('for any text: parseStaticToken returns its parts or null', () => {
    const nearly = fc
      .tuple(fc.stringMatching(/^[0-9a-g]{10,14}$/), fc.string({ maxLength: 45 }))
      .map(([id, secret]) => `swl_${id}_${secret}`);
    const valid = fc.stringMatching(/^swl_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/);
    fc.assert(
      fc.property(fc.oneof(fc.string(), nearly, valid), (text) => {
        const [, id, secret] = /^swl_([0-9a-f]{12})_([\w-]{43})$/.exec(text) ?? [];
        expect(parseStaticToken(text)).toEqual(id === undefined ? null : { id, secret });
      }),
    );
  });
});

describe('parseBearerToken', () => {
  test('for any valid token and any case of the scheme: returns the token', () => {
    fc.assert(
      fc.property(
        B64_TOKEN,
        fc.mixedCase(fc.constant('bearer')),
        fc.integer({ min: 1, max: 3 }),
        (token, scheme, n) => {
          expect(parseBearerToken(`${scheme}${' '.repeat(n)}${token}`)).toBe(token);
        },
      ),
    );
  });

  test('for any other text: throws UNAUTHENTICATED without quoting it', () => {
    const texts = fc.oneof(
      fc.string({ minLength: 12 }),
      fc.string({ minLength: 12 }).map((text) => `Bearer ${text}`),
      fc.constantFrom('Basic dXNlcjpwYXNzd29yZA==', 'Bearer', 'Bearer ', 'bearer two tokens-in-one', 'swl_bare-token'),
    );
    const parse = (text: string): { readonly token: string } | { readonly error: unknown } => {
      try {
        return { token: parseBearerToken(text) };
      } catch (error) {
        return { error };
      }
    };
    let rejections = 0;
    fc.assert(
      fc.property(texts, (text) => {
        const outcome = parse(text);
        if ('token' in outcome) {
          expect(text).toMatch(/^bearer /i);
          expect(outcome.token).toBe(text.slice(7).trim());
          return;
        }
        rejections += 1;
        expect(outcome.error).toMatchObject({ code: 'UNAUTHENTICATED' });
        expect(outcome.error instanceof Error && text.trim().length > 7 && outcome.error.message.includes(text)).toBe(
          false,
        );
      }),
    );
    expect(rejections).toBeGreaterThan(10);
  });

  test.each([[null], ['']])('throws an error that explains the header for %j', (header) => {
    expect(() => parseBearerToken(header)).toThrow('Authorization: Bearer <token>');
  });

  test('rejects a token above the maximum length', () => {
    expect(parseBearerToken(`Bearer ${'a'.repeat(MAX_TOKEN_LENGTH - 7)}`)).toHaveLength(MAX_TOKEN_LENGTH - 7);
    expect(() => parseBearerToken(`Bearer ${'a'.repeat(MAX_TOKEN_LENGTH)}`)).toThrow('more than 8192 characters');
  });
});

describe('createViewer', () => {
  const options = { subject: 'a', permissions: [...PERMISSIONS], restriction: UNRESTRICTED, expiresAtMs: null };

  test('gives equal scopes for equal permissions and restrictions in any order', () => {
    const first = createViewer({
      ...options,
      permissions: ['agents:read', 'health:read'],
      restriction: { ...UNRESTRICTED, serverIds: ['b', 'a', 'a'] },
    });
    const second = createViewer({
      subject: 'another subject',
      permissions: ['health:read', 'agents:read', 'agents:read'],
      restriction: { ...UNRESTRICTED, serverIds: ['a', 'b'] },
      expiresAtMs: 1,
    });
    expect(second.scope).toBe(first.scope);
  });

  test('gives different scopes for different permissions or restrictions', () => {
    const scopes = [
      createViewer(options),
      createViewer({ ...options, permissions: ['agents:read'] }),
      createViewer({ ...options, permissions: [] }),
      ...(['serverIds', 'agentTypes', 'swarmIds'] as const).flatMap((list) =>
        [[], ['a'], ['a,b'], ['a', 'b']].map((values) =>
          createViewer({ ...options, restriction: { ...UNRESTRICTED, [list]: values } }),
        ),
      ),
      createViewer({ ...options, restriction: { ...UNRESTRICTED, serverTypes: ['DAA'] } }),
      createViewer({ ...options, restriction: { ...UNRESTRICTED, performance: false } }),
      createViewer({ ...options, restriction: { ...UNRESTRICTED, neural: false } }),
    ].map(({ scope }) => scope);
    expect(new Set(scopes).size).toBe(scopes.length);
  });

  test('requirePermission throws an error that names the missing permission', () => {
    const viewer = createViewer({ ...options, permissions: ['agents:read'] });
    requirePermission(viewer, 'agents:read');
    expect(() => requirePermission(viewer, 'tools:call')).toThrow(SwarmlensError);
    expect(() => requirePermission(viewer, 'tools:call')).toThrow('"tools:call"');
  });
});

test.each([
  ['30d', 30 * 86_400_000],
  ['12h', 43_200_000],
  ['15m', 900_000],
  ['90s', 90_000],
  ['2w', 1_209_600_000],
  ['0d', null],
  ['30', null],
  ['d', null],
  ['-1d', null],
  ['1.5h', null],
  ['999999999w', null],
])('parseDuration converts %s to %s', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});
