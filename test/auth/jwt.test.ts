import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { type JWTHeaderParameters, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { type JwtOptions, PERMISSIONS, type Viewer } from '../../src/auth/index.js';
import { JwtVerifier } from '../../src/auth/jwt.js';
import { SwarmlensError } from '../../src/shared/index.js';
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

function pemOf(key: KeyObject): string {
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

const RS_OPTIONS = options({ algorithms: ['RS256'], key: { kind: 'public', pem: pemOf(RSA.publicKey) } });

async function verifier(overrides: Partial<JwtOptions> = {}): Promise<JwtVerifier> {
  return JwtVerifier.load(options(overrides), { clock, logger: recordingLogger().logger });
}

/** @param claims beside the usual ones; `undefined`: without that one */
async function sign(
  claims: Readonly<Record<string, unknown>> = {},
  key: KeyObject = HS,
  header: JWTHeaderParameters = { alg: 'HS256' },
): Promise<string> {
  return await new SignJWT({ ...CLAIMS, ...claims }).setProtectedHeader(header).sign(key);
}

async function refusalOf(verified: Promise<Viewer>): Promise<SwarmlensError> {
  try {
    await verified;
  } catch (error) {
    if (error instanceof SwarmlensError) return error;
    throw error;
  }
  throw new Error('it was let in');
}

describe('a JWT', () => {
  test.each<[string, KeyObject, KeyObject]>([
    ['RS256', RSA.privateKey, RSA.publicKey],
    ['PS256', RSA.privateKey, RSA.publicKey],
    ['ES256', EC.privateKey, EC.publicKey],
    ['EdDSA', ED.privateKey, ED.publicKey],
  ])('signed with %s is verified with the public key', async (alg, privateKey, publicKey) => {
    const jwt = await verifier({ algorithms: [alg], key: { kind: 'public', pem: pemOf(publicKey) } });
    const viewer = await jwt.verify(await sign({ scope: 'openid agents:read' }, privateKey, { alg }));
    expect(viewer).toMatchObject({ subject: 'jwt:ada', expiresAtMs: (NOW + 600) * 1000 });
    expect([...viewer.permissions]).toEqual(['agents:read']);
  });

  test('signed with the secret: its claims say what it may do and see', async () => {
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

  test('a claim of another name can hold the permissions; without any there are none', async () => {
    const token = await sign({ scope: 'agents:read', roles: ['health:read'] });
    const named = await (await verifier({ scopeClaim: 'roles' })).verify(token);
    expect([...named.permissions]).toEqual(['health:read']);
    const none = await (await verifier({ scopeClaim: 'constructor' })).verify(token);
    expect([...none.permissions]).toEqual([]);
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ['another audience', { aud: 'somebody' }, /another audience/],
    ['no audience', { aud: undefined }, /another audience/],
    ['another issuer', { iss: 'https://evil.example' }, /another issuer/],
    ['no issuer', { iss: undefined }, /another issuer/],
    ['no end', { exp: undefined }, /has no expiry/],
    ['an end that is over', { exp: NOW }, /has expired/],
    ['a beginning that is to come', { nbf: NOW + 1 }, /not valid yet/],
    ['an issue in the future', { iat: NOW + 1 }, /not valid yet/],
    ['a scope that is a number', { scope: 7 }, /"scope"/],
    ['an unknown key in its restriction', { swarmlens: { severs: ['a'] } }, /Invalid claim "swarmlens"/],
    ['an unknown server type in its restriction', { swarmlens: { serverTypes: ['X'] } }, /"swarmlens"/],
    ['a restriction that is no object', { swarmlens: 'all' }, /"swarmlens"/],
    ['a subject without end', { sub: 'a'.repeat(257) }, /"sub"/],
    ['a subject that is null', { sub: null }, /claim "sub" in the token/],
  ])('with %s is UNAUTHENTICATED', async (_name, claims, message) => {
    const refusal = await refusalOf((await verifier()).verify(await sign(claims)));
    expect(refusal.code).toBe('UNAUTHENTICATED');
    expect(refusal.message).toMatch(message);
  });

  test('within the tolerance a clock may be wrong both ways, and the viewer lasts as long as the token would be let in', async () => {
    const jwt = await verifier({ clockToleranceSeconds: 5 });
    const late = await jwt.verify(await sign({ exp: NOW - 4 }));
    expect(late.expiresAtMs).toBe((NOW + 1) * 1000);
    await jwt.verify(await sign({ iat: NOW + 5, nbf: NOW + 5 }));
    expect((await refusalOf(jwt.verify(await sign({ exp: NOW - 5 })))).message).toMatch(/expired/);
    expect((await refusalOf(jwt.verify(await sign({ iat: NOW + 6 })))).message).toMatch(/not valid yet/);
  });
});

describe('forged', () => {
  test('"alg": "none" is refused, signed or not', async () => {
    const unsecured = new UnsecuredJWT({ ...CLAIMS, scope: 'servers:admin' }).encode();
    for (const jwt of [
      await verifier(),
      await JwtVerifier.load(RS_OPTIONS, { clock, logger: recordingLogger().logger }),
    ]) {
      for (const token of [unsecured, `${unsecured}c2ln`]) {
        expect((await refusalOf(jwt.verify(token))).code).toBe('UNAUTHENTICATED');
      }
    }
  });

  test('a token signed with the public key as if it were a secret is refused', async () => {
    const jwt = await JwtVerifier.load(RS_OPTIONS, { clock, logger: recordingLogger().logger });
    const pem = pemOf(RSA.publicKey);
    for (const text of [pem, pem.trim(), pem.replaceAll('\n', '')]) {
      const token = await sign({ scope: 'servers:admin' }, createSecretKey(text, 'utf8'));
      expect((await refusalOf(jwt.verify(token))).code).toBe('UNAUTHENTICATED');
    }
    await jwt.verify(await sign({}, RSA.privateKey, { alg: 'RS256' }));
  });

  test('another algorithm than the pinned one is refused although key and signature are right', async () => {
    const jwt = await JwtVerifier.load(RS_OPTIONS, { clock, logger: recordingLogger().logger });
    for (const alg of ['RS512', 'PS256']) {
      const refusal = await refusalOf(jwt.verify(await sign({}, RSA.privateKey, { alg })));
      expect(refusal.message).toBe('Invalid token.');
    }
  });

  test('any change of any part of a token: it is refused, and nothing of it is in the message', async () => {
    const jwt = await verifier();
    const token = await sign({ scope: PERMISSIONS.join(' ') });
    const changes = fc.tuple(fc.nat(token.length - 1), fc.constantFrom('A', 'Z', 'a', 'z', '0', '9', '-', '_', '.'));
    await fc.assert(
      fc.asyncProperty(changes, async ([at, character]) => {
        const changed = token.slice(0, at) + character + token.slice(at + 1);
        if (changed === token || isSameBits(token, changed)) return;
        const refusal = await refusalOf(jwt.verify(changed));
        expect(refusal.code).toBe('UNAUTHENTICATED');
        expect(refusal.message).not.toContain(changed.slice(0, 20));
      }),
      { numRuns: 300 },
    );
  });
});

/** The last character of a signature holds bits that say nothing. */
function isSameBits(a: string, b: string): boolean {
  const [one, other] = [a, b].map((token) =>
    token.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex')),
  );
  return a.slice(0, a.lastIndexOf('.')) === b.slice(0, b.lastIndexOf('.')) && one?.[2] === other?.[2];
}

describe('keys from a URL', () => {
  const next = generateKeyPairSync('rsa', { modulusLength: 2048 });

  async function remote(
    server: JwksServer,
    cooldownMs: number,
  ): Promise<{ jwt: JwtVerifier; log: ReturnType<typeof recordingLogger> }> {
    const log = recordingLogger();
    const key = { kind: 'jwks', url: server.url, cooldownMs } as const;
    return { jwt: await JwtVerifier.load(options({ algorithms: ['RS256'], key }), { clock, logger: log.logger }), log };
  }

  const by = (kid: string, key: KeyObject): Promise<string> => sign({}, key, { alg: 'RS256', kid });

  test('are fetched once, and again for a key id that is not among them; what was taken away is let in no more', async () => {
    await using server = await JwksServer.start();
    await server.serve({ old: RSA.publicKey });
    const { jwt } = await remote(server, 0);
    expect(server.fetches).toBe(0);
    await jwt.verify(await by('old', RSA.privateKey));
    await jwt.verify(await by('old', RSA.privateKey));
    expect(server.fetches).toBe(1);
    expect((await refusalOf(jwt.verify(await by('new', next.privateKey)))).code).toBe('UNAUTHENTICATED');
    await server.serve({ new: next.publicKey });
    await jwt.verify(await by('new', next.privateKey));
    expect((await refusalOf(jwt.verify(await by('old', RSA.privateKey)))).code).toBe('UNAUTHENTICATED');
  });

  test('are not fetched again for every unknown key id: the issuer is left in peace for a while', async () => {
    await using server = await JwksServer.start();
    await server.serve({ old: RSA.publicKey });
    const { jwt } = await remote(server, 30_000);
    await jwt.verify(await by('old', RSA.privateKey));
    for (let made = 0; made < 20; made += 1) await refusalOf(jwt.verify(await by(`made up ${made}`, next.privateKey)));
    expect(server.fetches).toBe(1);
  });

  test.each([
    ['an error', { status: 500, body: '{}' }],
    ['no JSON', { status: 200, body: '<html>' }],
    ['no keys', { status: 200, body: '{"keys": 7}' }],
  ])(
    'when the URL answers with %s: SERVER_UNAVAILABLE, told in the log, and well again afterwards',
    async (_name, failure) => {
      await using server = await JwksServer.start();
      await server.serve({ old: RSA.publicKey });
      server.failure = failure;
      const { jwt, log } = await remote(server, 0);
      const token = await by('old', RSA.privateKey);
      expect((await refusalOf(jwt.verify(token))).code).toBe('SERVER_UNAVAILABLE');
      expect(log.lines.map(({ level }) => level)).toEqual(['error']);
      server.failure = null;
      await jwt.verify(token);
    },
  );

  test('when nobody answers: SERVER_UNAVAILABLE', async () => {
    const server = await JwksServer.start();
    const { jwt } = await remote(server, 0);
    await server[Symbol.asyncDispose]();
    expect((await refusalOf(jwt.verify(await by('old', RSA.privateKey)))).code).toBe('SERVER_UNAVAILABLE');
  });
});
