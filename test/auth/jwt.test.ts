import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { type JWTHeaderParameters, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { ANONYMOUS_VIEWER, type JwtOptions, PERMISSIONS, type Viewer } from '../../src/auth/index.js';
import { JwtVerifier } from '../../src/auth/jwt.js';
import { TokenExpiryMonitor } from '../../src/auth/token-expiry-monitor.js';
import { SwarmlensError, toTimestamp } from '../../src/shared/index.js';
import { recordingLogger } from '../mcp/support.js';
import { ManualClock } from '../support/manual-clock.js';
import { JwksServer } from './jwks-server.js';

const clock = new ManualClock();
const NOW = Math.floor(clock.now() / 1000);
const SECRET = 'a secret of the test, 32 bytes at least';
const HS = createSecretKey(SECRET, 'utf8');
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ED = generateKeyPairSync('ed25519');

const CLAIMS = { iss: 'https://issuer.example', aud: 'swarmlens', sub: 'ada', iat: NOW, exp: NOW + 600 };

function toPem(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

function options(overrides: Partial<JwtOptions> = {}): JwtOptions {
  return {
    issuer: 'https://issuer.example',
    audience: ['swarmlens', 'other'],
    algorithms: ['HS256'],
    key: { kind: 'secret', secret: SECRET },
    scopeClaim: null,
    clockToleranceSeconds: 0,
    ...overrides,
  };
}

const RS_OPTIONS = options({ algorithms: ['RS256'], key: { kind: 'public', pem: toPem(RSA.publicKey) } });

async function verifier(overrides: Partial<JwtOptions> = {}): Promise<JwtVerifier> {
  return JwtVerifier.load(options(overrides), { clock, logger: recordingLogger().logger });
}

/** Signs a token. @param claims claims that replace the default ones; undefined removes a claim */
async function sign(
  claims: Readonly<Record<string, unknown>> = {},
  key: KeyObject = HS,
  header: JWTHeaderParameters = { alg: 'HS256' },
): Promise<string> {
  return await new SignJWT({ ...CLAIMS, ...claims }).setProtectedHeader(header).sign(key);
}

async function rejectionOf(verified: Promise<Viewer>): Promise<SwarmlensError> {
  try {
    await verified;
  } catch (error) {
    if (error instanceof SwarmlensError) return error;
    throw error;
  }
  throw new Error('the token was accepted');
}

describe('JwtVerifier', () => {
  test.each<[string, KeyObject, KeyObject]>([
    ['RS256', RSA.privateKey, RSA.publicKey],
    ['PS256', RSA.privateKey, RSA.publicKey],
    ['ES256', EC.privateKey, EC.publicKey],
    ['EdDSA', ED.privateKey, ED.publicKey],
  ])('verifies a token signed with %s by its public key', async (alg, privateKey, publicKey) => {
    const jwt = await verifier({ algorithms: [alg], key: { kind: 'public', pem: toPem(publicKey) } });
    const viewer = await jwt.verify(await sign({ scope: 'openid agents:read' }, privateKey, { alg }));
    expect(viewer).toMatchObject({ subject: 'jwt:ada', expiresAtMs: (NOW + 600) * 1000 });
    expect([...viewer.permissions]).toEqual(['agents:read']);
  });

  test('verifies a token signed with the secret and applies its permissions and restriction', async () => {
    const swarmlens = { servers: ['a'], serverTypes: ['DAA'], swarms: ['a:s'], agentTypes: ['Coder'], neural: false };
    const viewer = await (await verifier()).verify(await sign({ permissions: ['tools:call', 'x'], swarmlens }));
    expect([...viewer.permissions]).toEqual(['tools:call']);
    expect(viewer.restriction).toEqual({
      serverIds: ['a'],
      serverTypes: ['DAA'],
      agentTypes: ['coder'],
      swarmIds: ['a:s'],
      performance: true,
      neural: false,
    });
  });

  test('reads the permissions from the configured claim and grants none without it', async () => {
    const token = await sign({ scope: 'agents:read', roles: ['health:read'] });
    const named = await (await verifier({ scopeClaim: 'roles' })).verify(token);
    expect([...named.permissions]).toEqual(['health:read']);
    const none = await (await verifier({ scopeClaim: 'constructor' })).verify(token);
    expect([...none.permissions]).toEqual([]);
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ['another audience', { aud: 'another' }, /another audience/],
    ['no audience', { aud: undefined }, /another audience/],
    ['another issuer', { iss: 'https://evil.example' }, /another issuer/],
    ['no issuer', { iss: undefined }, /another issuer/],
    ['no expiry', { exp: undefined }, /has no expiry/],
    ['a past expiry', { exp: NOW }, /has expired/],
    ['a future start', { nbf: NOW + 1 }, /not valid yet/],
    ['a future issue time', { iat: NOW + 1 }, /not valid yet/],
    ['a scope that is a number', { scope: 7 }, /"scope"/],
    ['an unknown key in its restriction', { swarmlens: { severs: ['a'] } }, /Invalid claim "swarmlens"/],
    ['an unknown server type in its restriction', { swarmlens: { serverTypes: ['X'] } }, /"swarmlens"/],
    ['a restriction that is not an object', { swarmlens: 'all' }, /"swarmlens"/],
    ['a subject of 257 characters', { sub: 'a'.repeat(257) }, /"sub"/],
    ['a subject that is null', { sub: null }, /claim "sub" in the token/],
    ['an expiry in milliseconds', { exp: NOW * 1000 }, /claim "exp" in the token\. It must be in seconds/],
    ['an expiry beyond the year 9999', { exp: 253_402_300_800 }, /before the year 10000/],
    ['an expiry beyond all dates', { exp: Number.MAX_VALUE }, /before the year 10000/],
    ['a negative expiry', { exp: -1 }, /has expired/],
    ['the least expiry', { exp: -Number.MAX_VALUE }, /has expired/],
    ['an expiry that is text', { exp: `${NOW + 600}` }, /claim "exp" in the token\. It must be a number/],
    ['an expiry that is null', { exp: null }, /claim "exp" in the token\. It must be a number/],
    ['a start that is text', { nbf: '0' }, /claim "nbf" in the token\. It must be a number/],
    ['an issue time that is text', { iat: 'now' }, /claim "iat" in the token\. It must be a number/],
    ['the latest start', { nbf: Number.MAX_VALUE }, /not valid yet/],
    ['the latest issue time', { iat: Number.MAX_VALUE }, /not valid yet/],
  ])('rejects a token with %s as UNAUTHENTICATED', async (_name, claims, message) => {
    const rejection = await rejectionOf((await verifier()).verify(await sign(claims)));
    expect(rejection.code).toBe('UNAUTHENTICATED');
    expect(rejection.message).toMatch(message);
  });

  test('tolerates clock differences in both directions and lets the viewer expire with the token', async () => {
    const jwt = await verifier({ clockToleranceSeconds: 5 });
    const late = await jwt.verify(await sign({ exp: NOW - 4 }));
    expect(late.expiresAtMs).toBe((NOW + 1) * 1000);
    await jwt.verify(await sign({ iat: NOW + 5, nbf: NOW + 5 }));
    expect((await rejectionOf(jwt.verify(await sign({ exp: NOW - 5 })))).message).toMatch(/expired/);
    expect((await rejectionOf(jwt.verify(await sign({ iat: NOW + 6 })))).message).toMatch(/not valid yet/);
  });
});

describe('JwtVerifier with extreme times', () => {
  test('accepts the latest expiry, the earliest start and issue time, and fractions of a second', async () => {
    const times = { exp: 253_402_300_799.5, nbf: -Number.MAX_VALUE, iat: -Number.MAX_VALUE };
    expect((await rejectionOf((await verifier()).verify(await sign(times)))).message).toContain(
      'before the year 10000',
    );
    const viewer = await (await verifier()).verify(await sign({ ...times, exp: 253_402_300_799 }));
    expect(toTimestamp(viewer.expiresAtMs)).toBe('9999-12-31T23:59:59.000Z');
    const { expiresAtMs } = await (await verifier()).verify(await sign({ exp: NOW + 600.25 }));
    expect(expiresAtMs).toBe((NOW + 600) * 1000 + 250);
  });

  test('rejects a token that expired within the current second', async () => {
    const time = new ManualClock();
    const jwt = await JwtVerifier.load(options(), { clock: time, logger: recordingLogger().logger });
    const token = await sign({ exp: NOW + 1.25 });
    time.advance(NOW * 1000 + 1_249 - time.now());
    await jwt.verify(token);
    time.advance(1);
    expect((await rejectionOf(jwt.verify(token))).message).toBe('The token has expired.');
  });

  test('for any numbers as times: returns a viewer whose expiry is a date that a timer can await, or rejects the token', async () => {
    const jwt = await verifier({ clockToleranceSeconds: 300 });
    const time = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.constantFrom(1e308, -1e308, 8.64e12),
    );
    await fc.assert(
      fc.asyncProperty(time, fc.option(time), fc.option(time), async (exp, nbf, iat) => {
        const token = await sign({ exp, nbf: nbf ?? undefined, iat: iat ?? undefined });
        const outcome = await jwt.verify(token).catch((error: unknown) => error);
        if (outcome instanceof Error) {
          expect(outcome).toMatchObject({ code: 'UNAUTHENTICATED' });
          return;
        }
        const { expiresAtMs } = outcome as Viewer; // not an error
        expect(toTimestamp(expiresAtMs)).toMatch(/^\d{4}-/);
        using monitor = new TokenExpiryMonitor(clock, () => false);
        using _watch = monitor.watch({ ...ANONYMOUS_VIEWER, expiresAtMs }, () => expect.unreachable());
      }),
      { numRuns: 200 },
    );
  });
});

describe('JwtVerifier with forged tokens', () => {
  test('rejects "alg": "none", with and without a signature', async () => {
    const unsecured = new UnsecuredJWT({ ...CLAIMS, scope: 'servers:admin' }).encode();
    for (const jwt of [
      await verifier(),
      await JwtVerifier.load(RS_OPTIONS, { clock, logger: recordingLogger().logger }),
    ]) {
      for (const token of [unsecured, `${unsecured}c2ln`]) {
        expect((await rejectionOf(jwt.verify(token))).code).toBe('UNAUTHENTICATED');
      }
    }
  });

  test('rejects a token signed with the public key as a secret', async () => {
    const jwt = await JwtVerifier.load(RS_OPTIONS, { clock, logger: recordingLogger().logger });
    const pem = toPem(RSA.publicKey);
    for (const text of [pem, pem.trim(), pem.replaceAll('\n', '')]) {
      const token = await sign({ scope: 'servers:admin' }, createSecretKey(text, 'utf8'));
      expect((await rejectionOf(jwt.verify(token))).code).toBe('UNAUTHENTICATED');
    }
    await jwt.verify(await sign({}, RSA.privateKey, { alg: 'RS256' }));
  });

  test('rejects another algorithm although key and signature are valid', async () => {
    const jwt = await JwtVerifier.load(RS_OPTIONS, { clock, logger: recordingLogger().logger });
    for (const alg of ['RS512', 'PS256']) {
      const rejection = await rejectionOf(jwt.verify(await sign({}, RSA.privateKey, { alg })));
      expect(rejection.message).toBe('Invalid token.');
    }
  });

  test('for any change of a token: rejects it without quoting it', async () => {
    const jwt = await verifier();
    const token = await sign({ scope: PERMISSIONS.join(' ') });
    const changes = fc.tuple(fc.nat(token.length - 1), fc.constantFrom('A', 'Z', 'a', 'z', '0', '9', '-', '_', '.'));
    await fc.assert(
      fc.asyncProperty(changes, async ([at, character]) => {
        const changed = token.slice(0, at) + character + token.slice(at + 1);
        if (changed === token || isSameBits(token, changed)) return;
        const rejection = await rejectionOf(jwt.verify(changed));
        expect(rejection.code).toBe('UNAUTHENTICATED');
        expect(rejection.message).not.toContain(changed.slice(0, 20));
      }),
      { numRuns: 300 },
    );
  });
});

/** Whether two tokens have equal signatures. The last character of a signature contains unused bits. */
function isSameBits(a: string, b: string): boolean {
  const [first, second] = [a, b].map((token) =>
    token.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex')),
  );
  return a.slice(0, a.lastIndexOf('.')) === b.slice(0, b.lastIndexOf('.')) && first?.[2] === second?.[2];
}

describe('JwtVerifier with a key set by URL', () => {
  const next = generateKeyPairSync('rsa', { modulusLength: 2048 });

  async function remote(server: Pick<JwksServer, 'url'>, cooldownMs: number) {
    const log = recordingLogger();
    const time = new ManualClock();
    const key = { kind: 'jwks', url: server.url, cooldownMs } as const;
    const deps = { clock: time, logger: log.logger };
    return { jwt: await JwtVerifier.load(options({ algorithms: ['RS256'], key }), deps), log, time };
  }

  const by = (kid: string, key: KeyObject): Promise<string> => sign({}, key, { alg: 'RS256', kid });

  test('fetches the keys once and again for an unknown key id, and rejects removed keys', async () => {
    await using server = await JwksServer.start();
    await server.serve({ old: RSA.publicKey });
    const { jwt } = await remote(server, 0);
    expect(server.fetches).toBe(0);
    await jwt.verify(await by('old', RSA.privateKey));
    await jwt.verify(await by('old', RSA.privateKey));
    expect(server.fetches).toBe(1);
    expect((await rejectionOf(jwt.verify(await by('new', next.privateKey)))).code).toBe('UNAUTHENTICATED');
    await server.serve({ new: next.publicKey });
    await jwt.verify(await by('new', next.privateKey));
    expect((await rejectionOf(jwt.verify(await by('old', RSA.privateKey)))).code).toBe('UNAUTHENTICATED');
  });

  test('fetches the keys at most once per cooldown for unknown key ids', async () => {
    await using server = await JwksServer.start();
    await server.serve({ old: RSA.publicKey });
    const { jwt } = await remote(server, 30_000);
    await jwt.verify(await by('old', RSA.privateKey));
    for (let index = 0; index < 20; index += 1)
      await rejectionOf(jwt.verify(await by(`unknown ${index}`, next.privateKey)));
    expect(server.fetches).toBe(1);
  });

  test.each([
    ['an error', { status: 500, body: '{}' }],
    ['no JSON', { status: 200, body: '<html>' }],
    ['no keys', { status: 200, body: '{"keys": 7}' }],
  ])('reports SERVER_UNAVAILABLE and logs an error while the URL answers with %s', async (_name, failure) => {
    await using server = await JwksServer.start();
    await server.serve({ old: RSA.publicKey });
    server.failure = failure;
    const { jwt, log } = await remote(server, 0);
    const token = await by('old', RSA.privateKey);
    expect((await rejectionOf(jwt.verify(token))).code).toBe('SERVER_UNAVAILABLE');
    expect(log.lines.map(({ level }) => level)).toEqual(['error']);
    server.failure = null;
    await jwt.verify(token);
  });

  test('reports SERVER_UNAVAILABLE when the URL does not answer', async () => {
    const server = await JwksServer.start();
    const { jwt } = await remote(server, 0);
    await server[Symbol.asyncDispose]();
    expect((await rejectionOf(jwt.verify(await by('old', RSA.privateKey)))).code).toBe('SERVER_UNAVAILABLE');
  });

  const MINUTE_MS = 60_000;
  const EXPIRY = { exp: NOW + 86_400 };
  const long = (kid: string, key: KeyObject): Promise<string> => sign(EXPIRY, key, { alg: 'RS256', kid });

  test('uses the last keys for an hour while the URL is unavailable, and logs the outage and its end once', async () => {
    await using server = await JwksServer.start();
    await server.serve({ old: RSA.publicKey });
    const { jwt, log, time } = await remote(server, 30_000);
    const token = await long('old', RSA.privateKey);
    await jwt.verify(token);
    server.failure = { status: 500, body: '{}' };
    time.advance(9 * MINUTE_MS);
    await jwt.verify(token);
    expect([server.fetches, log.lines]).toEqual([1, []]);
    for (let minute = 10; minute <= 59; minute += 1) {
      time.advance(MINUTE_MS);
      await Promise.all([jwt.verify(token), jwt.verify(token)]);
      // An unknown key may be one that could not be fetched.
      const unknown = await rejectionOf(jwt.verify(await long('unknown', next.privateKey)));
      expect(unknown.code).toBe('SERVER_UNAVAILABLE');
    }
    expect(log.lines.map(({ level }) => level)).toEqual(['error']);
    expect(server.fetches).toBeLessThanOrEqual(1 + 50);
    time.advance(MINUTE_MS);
    expect((await rejectionOf(jwt.verify(token))).code).toBe('SERVER_UNAVAILABLE');
    server.failure = null;
    await jwt.verify(token);
    await jwt.verify(token);
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
      ['error', 'fetching the keys for token verification failed, the last keys are used for up to an hour'],
      ['info', 'the keys for token verification were fetched again'],
    ]);
    server.failure = { status: 500, body: '{}' };
    time.advance(10 * MINUTE_MS);
    await jwt.verify(token);
    expect(log.lines.map(({ level }) => level)).toEqual(['error', 'info', 'error']);
  });

  test('logs an outage once when it begins before the first request', async () => {
    const server = await JwksServer.start();
    const { jwt, log } = await remote(server, 0);
    await server[Symbol.asyncDispose]();
    const token = await by('old', RSA.privateKey);
    for (let index = 0; index < 20; index += 1) {
      expect((await rejectionOf(jwt.verify(token))).code).toBe('SERVER_UNAVAILABLE');
    }
    expect(log.lines.map(({ level }) => level)).toEqual(['error']);
  });

  test('logs an unusable key once and verifies tokens of the other keys', async () => {
    await using server = await JwksServer.start();
    await server.serve({ old: RSA.publicKey });
    server.add({ kty: 'RSA', kid: 'broken', use: 'sig', n: 'AQAB', e: '!' });
    const { jwt, log } = await remote(server, 30_000);
    for (let index = 0; index < 5; index += 1) {
      await rejectionOf(jwt.verify(await by('broken', next.privateKey)));
      await jwt.verify(await by('old', RSA.privateKey));
    }
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });
});
