import { createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { createAuthenticator, PERMISSIONS } from '../../src/auth/index.js';
import { SwarmlensError } from '../../src/shared/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { TokenDirectory } from '../auth/files.js';
import { garbage, hostileValue, mutatedText, mutationOf, runs } from '../support/fuzz-inputs.js';
import { ManualClock } from '../support/manual-clock.js';

const SECRET = 'a secret of the test, 32 bytes at least';
const KEY = createSecretKey(Buffer.from(SECRET));
const clock = new ManualClock();
const now = Math.floor(clock.now() / 1000);

const JWT = {
  issuer: 'https://issuer.example',
  audience: ['swarmlens'],
  algorithms: ['HS256'],
  key: { kind: 'secret', secret: SECRET } as const,
  scopeClaim: null,
  clockToleranceSeconds: 0,
};

const CLAIMS = {
  iss: JWT.issuer,
  aud: 'swarmlens',
  sub: 'ada',
  exp: now + 60,
  iat: now,
  scope: 'agents:read health:read',
  permissions: ['tools:call'],
  swarmlens: {
    serverTypes: ['RUV_SWARM'],
    servers: ['x'],
    swarms: ['x:s1'],
    agentTypes: ['Coder'],
    performance: false,
    neural: true,
  },
};

/** Claims with a valid signature but arbitrary values. */
const signedClaims = fc
  .oneof(mutationOf(CLAIMS), fc.dictionary(fc.constantFrom(...Object.keys(CLAIMS), '__proto__'), hostileValue))
  .filter((claims) => typeof claims === 'object' && claims !== null && !Array.isArray(claims));

test('for any signed claims: Authenticator returns a viewer with known permissions, or UNAUTHENTICATED', async () => {
  await using authenticator = await createAuthenticator({ tokens: null, jwt: JWT }, { clock, logger: silentLogger });
  let viewers = 0;
  await fc.assert(
    fc.asyncProperty(signedClaims, async (claims) => {
      // The filter above leaves only objects.
      const token = await new SignJWT({ ...(claims as object) }).setProtectedHeader({ alg: 'HS256' }).sign(KEY);
      const result = await authenticator.authenticate(`Bearer ${token}`).catch((error: unknown) => error);
      if (result instanceof Error) {
        expect(result).toBeInstanceOf(SwarmlensError);
        expect(result).toMatchObject({ code: 'UNAUTHENTICATED' });
        expect(result.message).not.toContain(token);
        return;
      }
      viewers += 1;
      const { permissions, expiresAtMs } = result as { permissions: ReadonlySet<string>; expiresAtMs: number }; // a Viewer, because the result is no error
      for (const permission of permissions) expect(PERMISSIONS).toContain(permission);
      expect(expiresAtMs).toBeGreaterThan(clock.now());
    }),
    runs(300),
  );
  expect(viewers).toBeGreaterThan(10);
});

test('for any Authorization header without a valid token: Authenticator fails with UNAUTHENTICATED and does not repeat the header', async () => {
  await using directory = await TokenDirectory.make();
  const { text } = await directory.create();
  const options = { tokens: directory.file, jwt: JWT };
  await using authenticator = await createAuthenticator(options, { clock, logger: silentLogger });
  const token = await new SignJWT(CLAIMS).setProtectedHeader({ alg: 'HS256' }).sign(KEY);
  const headers = fc.oneof(
    ...[text, token].map((one) => mutatedText(`Bearer ${one}`)),
    garbage.map((bytes) => `Bearer ${bytes.toString('latin1')}`),
    garbage.map((bytes) => bytes.toString('latin1')),
    fc.array(fc.base64String(), { minLength: 3, maxLength: 3 }).map((parts) => `Bearer ${parts.join('.')}`),
  );
  let rejections = 0;
  await fc.assert(
    fc.asyncProperty(headers, async (header) => {
      const result = await authenticator.authenticate(header).catch((error: unknown) => error);
      if (result instanceof Error) {
        expect(result).toBeInstanceOf(SwarmlensError);
        expect(result).toMatchObject({ code: 'UNAUTHENTICATED' });
        if (header.length > 40) expect(result.message).not.toContain(header.slice(7));
        rejections += 1;
        return;
      }
      expect([text, token]).toContain(header.replace(/^bearer +/i, '').trim());
    }),
    runs(600),
  );
  expect(rejections).toBeGreaterThan(10);
});
