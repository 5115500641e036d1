import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Config, ConfigError, type ConfigFlags, loadConfig } from '../../src/config/index.js';
import { TokenDirectory } from '../auth/files.js';

const SECRET = '0123456789abcdef0123456789abcdef';
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const SMALL = generateKeyPairSync('rsa', { modulusLength: 1024 });
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
const PRIVATE = RSA.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const JWT = { issuer: 'i', audience: 'a', algorithms: ['RS256'] };

interface Given {
  readonly flags?: ConfigFlags;
  readonly env?: NodeJS.ProcessEnv;
  readonly own?: object;
}

async function load(
  directory: TokenDirectory,
  auth: unknown,
  { flags = {}, env = {}, own }: Given = {},
): Promise<Config> {
  const cwd = dirname(directory.file);
  await writeFile(join(cwd, 'config.json'), JSON.stringify({ mcpServers: {}, swarmlens: { auth, ...own } }));
  return await loadConfig({ flags: { config: 'config.json', ...flags }, env, cwd, program: '/main.js' });
}

async function problems(auth: unknown, given: Given = {}): Promise<readonly string[]> {
  await using directory = await TokenDirectory.make();
  try {
    await load(directory, auth, given);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('no ConfigError');
}

describe('loadConfig: swarmlens.auth', () => {
  test('reads tokens, JWT options and origins relative to the file, and the secret from the environment', async () => {
    await using directory = await TokenDirectory.make();
    await directory.create();
    const jwt = { issuer: 'i', audience: ['a', 'b'], algorithms: ['HS256'], secret: '${S}', scopeClaim: 'roles' };
    const auth = {
      tokens: 'tokens.json',
      jwt,
      origins: ['https://swarm.example', 'http://localhost:3000'],
      allowHeaders: ['X-Tenant'],
    };
    expect(await load(directory, auth, { env: { S: SECRET } })).toMatchObject({
      auth: {
        tokens: directory.file,
        jwt: {
          issuer: 'i',
          audience: ['a', 'b'],
          algorithms: ['HS256'],
          key: { kind: 'secret', secret: SECRET },
          scopeClaim: 'roles',
          clockToleranceSeconds: 0,
        },
      },
      origins: ['https://swarm.example', 'http://localhost:3000'],
      allowHeaders: ['x-tenant'],
      insecureNoAuth: false,
    });
  });

  test('accepts a public key as text or as a file, and a JWKS as a URL', async () => {
    await using directory = await TokenDirectory.make();
    await writeFile(join(dirname(directory.file), 'key.pem'), pem(RSA.publicKey));
    for (const publicKey of [pem(RSA.publicKey), 'key.pem']) {
      const { auth } = await load(directory, { jwt: { ...JWT, publicKey } });
      expect(auth?.jwt?.key).toEqual({ kind: 'public', pem: pem(RSA.publicKey) });
    }
    for (const jwksUrl of ['https://issuer.example/keys', 'http://127.0.0.1:3000/keys', 'http://[::1]/']) {
      const { auth } = await load(directory, { jwt: { ...JWT, jwksUrl } });
      expect(auth?.jwt?.key).toMatchObject({ kind: 'jwks', url: jwksUrl });
    }
  });

  test('requires no token when the section is missing or empty', async () => {
    await using directory = await TokenDirectory.make();
    for (const auth of [undefined, {}, { origins: [] }]) {
      expect(await load(directory, auth)).toMatchObject({ auth: null, origins: [], insecureNoAuth: false });
    }
  });

  const jwt = (overrides: object): object => ({ jwt: { ...JWT, ...overrides } });
  test.each<[string, unknown, RegExp]>([
    ['a missing token file', { tokens: 'no.json' }, /auth\.tokens: .*no\.json: file not found – create it with/],
    [
      'no algorithms',
      { jwt: { issuer: 'i', audience: 'a', secret: SECRET } },
      /auth\.jwt\.algorithms: .* – expected a list/,
    ],
    [
      'an empty list of algorithms',
      jwt({ algorithms: [], secret: SECRET }),
      /auth\.jwt\.algorithms: .* – expected a list/,
    ],
    [
      'the algorithm none',
      jwt({ algorithms: ['none'], secret: SECRET }),
      /auth\.jwt\.algorithms\.0: .*expected .*HS256/,
    ],
    ['RS256 with a secret', jwt({ secret: SECRET }), /auth\.jwt\.algorithms: RS256 cannot be used with a secret/],
    [
      'HS256 beside RS256 with a public key',
      jwt({ algorithms: ['RS256', 'HS256'], publicKey: pem(RSA.publicKey) }),
      /algorithms: HS256 cannot be used with a public key/,
    ],
    [
      'HS256 with a JWKS',
      jwt({ algorithms: ['HS256'], jwksUrl: 'https://x/' }),
      /HS256 cannot be used with a public key/,
    ],
    [
      'a short secret',
      jwt({ algorithms: ['HS256'], secret: SECRET.slice(1) }),
      /secret: is too short .* at least 32 random bytes/,
    ],
    [
      'a short secret for HS512',
      jwt({ algorithms: ['HS512'], secret: SECRET }),
      /secret: is too short .* at least 64 random bytes/,
    ],
    ['no key', jwt({}), /auth\.jwt: expected one of "secret", "publicKey" and "jwksUrl"/],
    ['two keys', jwt({ publicKey: pem(RSA.publicKey), jwksUrl: 'https://x/' }), /auth\.jwt: expected one of/],
    ['a JWKS over plain HTTP', jwt({ jwksUrl: 'http://issuer.example/' }), /jwksUrl: .*expected a URL with https/],
    ['a JWKS with a password in its URL', jwt({ jwksUrl: 'https://u:p@issuer.example/' }), /jwksUrl: .*expected a URL/],
    ['a missing key file', jwt({ publicKey: 'no.pem' }), /publicKey: cannot be read/],
    ['an invalid key', jwt({ publicKey: '-----BEGIN PUBLIC KEY-----\n' }), /publicKey: is not a PEM public key/],
    ['a private key', jwt({ publicKey: PRIVATE }), /publicKey: is a private key/],
    [
      'a key of another type',
      jwt({ publicKey: pem(EC.publicKey) }),
      /publicKey: is not a key for RS256 – its type is ec/,
    ],
    ['a key on another curve', jwt({ algorithms: ['ES384'], publicKey: pem(EC.publicKey) }), /is not a key for ES384/],
    ['a small key', jwt({ publicKey: pem(SMALL.publicKey) }), /publicKey: has 1024 bits/],
    ['an unknown option', { jtw: {} }, /auth\.jtw: .*unknown option, did you mean "jwt"\?/],
    ['an unknown option of JWT', jwt({ jwksurl: 'https://x/' }), /jwksurl: .*did you mean "jwksUrl"\?/],
    ['an origin with a path', { origins: ['https://x.example/'] }, /auth\.origins\.0: .*expected an origin/],
    ['a wildcard origin', { origins: ['*'] }, /auth\.origins\.0: .*expected an origin/],
    ['the origin null', { origins: ['null'] }, /auth\.origins\.0: .*expected an origin/],
    [
      'a header with a space',
      { allowHeaders: ['x tenant'] },
      /auth\.allowHeaders\.0: .*expected the name of a request header/,
    ],
    [
      'a header with a line break',
      { allowHeaders: ['x\r\ny'] },
      /auth\.allowHeaders\.0: .*expected the name of a request header/,
    ],
    ['all headers', { allowHeaders: [''] }, /auth\.allowHeaders\.0: .*expected the name of a request header/],
  ])('rejects %s with the key and without secrets', async (_name, auth, message) => {
    const found = await problems(auth);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(message);
    expect(found[0]).not.toContain(SECRET.slice(0, 16));
    expect(found[0]).not.toContain('PRIVATE KEY--');
  });
});

describe('loadConfig: host beyond loopback', () => {
  const OPEN = { own: { host: '0.0.0.0' } };

  test('is accepted with authentication or --insecure-no-auth', async () => {
    await using directory = await TokenDirectory.make();
    await directory.create();
    const tokens = { tokens: 'tokens.json' };
    expect(await load(directory, tokens, OPEN)).toMatchObject({ host: '0.0.0.0', insecureNoAuth: false });
    const flags = { 'insecure-no-auth': true };
    expect(await load(directory, {}, { ...OPEN, flags })).toMatchObject({ auth: null, insecureNoAuth: true });
    const env = { SWARMLENS_INSECURE_NO_AUTH: '1' };
    expect(await load(directory, {}, { ...OPEN, env })).toMatchObject({ auth: null, insecureNoAuth: true });
    // Authentication takes precedence over the flag.
    const { auth, insecureNoAuth } = await load(directory, tokens, { flags });
    expect([auth?.tokens, insecureNoAuth]).toEqual([directory.file, false]);
  });

  test('is rejected otherwise, even with origins, and no option of the file allows it', async () => {
    const [problem] = await problems({ origins: ['https://swarm.example'] }, OPEN);
    expect(problem).toContain('only loopback is allowed without authentication');
    expect(await problems({}, { own: { insecureNoAuth: true } })).toHaveLength(1);
    const [wrong] = await problems({}, { env: { SWARMLENS_INSECURE_NO_AUTH: 'yes' } });
    expect(wrong).toBe('SWARMLENS_INSECURE_NO_AUTH: is "yes" – expected 1, 0 or an empty value');
  });
});
