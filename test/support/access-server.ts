import { createSecretKey } from 'node:crypto';
import { SignJWT } from 'jose';
import { type Authenticator, createAuthenticator } from '../../src/auth/index.js';
import type { Limits } from '../../src/config/index.js';
import { createMemoryRateLimiter, type RateLimiterFactory } from '../../src/server/index.js';
import { TokenDirectory } from '../auth/files.js';
import { type LogLine, recordingLogger } from '../mcp/support.js';
import { DeliveryServer } from './delivery-server.js';
import { ManualClock } from './manual-clock.js';
import { waitUntil } from './wait.js';

const SECRET = 'a secret of the test, 32 bytes at least';
const ISSUER = 'https://issuer.example';

export interface AccessOptions {
  readonly origins?: readonly string[];
  /** Whether the server has no static tokens, and therefore watches no file. */
  readonly jwtOnly?: boolean;
  readonly createRateLimiter?: RateLimiterFactory;
  readonly limits?: Partial<Limits>;
}

/** Server that requires static tokens or JWTs. Tokens expire by a clock that the test advances; the rest runs in real time. */
export class AccessServer implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly directory: TokenDirectory;
  readonly server: DeliveryServer;
  readonly log: readonly LogLine[];
  readonly #authenticator: Authenticator;

  private constructor(
    parts: Pick<AccessServer, 'clock' | 'directory' | 'server' | 'log'>,
    authenticator: Authenticator,
  ) {
    ({ clock: this.clock, directory: this.directory, server: this.server, log: this.log } = parts);
    this.#authenticator = authenticator;
  }

  static async start({
    origins = [],
    jwtOnly = false,
    createRateLimiter = createMemoryRateLimiter,
    limits = {},
  }: AccessOptions = {}): Promise<AccessServer> {
    const directory = await TokenDirectory.make();
    await directory.create();
    const clock = new ManualClock();
    const { logger, lines } = recordingLogger();
    const jwt = {
      issuer: ISSUER,
      audience: ['swarmlens'],
      algorithms: ['HS256'],
      key: { kind: 'secret', secret: SECRET } as const,
      scopeClaim: null,
      clockToleranceSeconds: 0,
    };
    const tokens = jwtOnly ? null : directory.file;
    const authenticator = await createAuthenticator({ tokens, jwt }, { clock, logger });
    const server = await DeliveryServer.start({}, { authenticator, origins, logger, createRateLimiter }, limits);
    server.show(0, 3, 0);
    return new AccessServer({ clock, directory, server, log: lines }, authenticator);
  }

  get url(): string {
    return `${this.server.url}/graphql`;
  }

  /** Creates a static token. Resolves when the server accepts it. */
  async token(...args: Parameters<TokenDirectory['create']>): Promise<{ text: string; id: string }> {
    const { text, stored } = await this.directory.create(...args);
    await this.until(async () => await this.knows(text));
    return { text, id: stored.id };
  }

  async knows(token: string): Promise<boolean> {
    return await this.#authenticator.authenticate(`Bearer ${token}`).then(
      () => true,
      (error: unknown) => String(error).includes('expired'),
    );
  }

  /** Creates a JWT that is valid for `lastsMs`, unless its claims contain another expiry. */
  async jwt(claims: Readonly<Record<string, unknown>> = {}, lastsMs = 60_000): Promise<string> {
    const iat = Math.floor(this.clock.now() / 1000);
    const usual = { iss: ISSUER, aud: 'swarmlens', sub: 'ada', scope: 'agents:read', iat, exp: iat + lastsMs / 1000 };
    const signer = new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: 'HS256' });
    return await signer.sign(createSecretKey(SECRET, 'utf8'));
  }

  /**
   * Advances the clock of the tokens until `isReached` returns true. The clock stands still while only the file system is
   * awaited.
   * @returns milliseconds that passed on the clock
   */
  async until(isReached: () => boolean | Promise<boolean>, stepMs = 10): Promise<number> {
    const sinceMs = this.clock.monotonic();
    await waitUntil(
      async () => {
        if (await isReached()) return true;
        if (this.clock.pending > 0) this.clock.advance(stepMs);
        return false;
      },
      { state: () => ({ passedMs: this.clock.monotonic() - sinceMs, log: this.log.slice(-5) }), intervalMs: 0 },
    );
    return this.clock.monotonic() - sinceMs;
  }

  /** Runs an operation over HTTP. */
  async post(query: string, authorization: string | null, headers: Record<string, string> = {}): Promise<Response> {
    return await fetch(this.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(authorization !== null && { authorization }),
        ...headers,
      },
      body: JSON.stringify({ query }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.#authenticator[Symbol.asyncDispose]();
    await this.directory[Symbol.asyncDispose]();
  }
}
