import { once } from 'node:events';
import { createSecretKey } from 'node:crypto';
import { SignJWT } from 'jose';
import { WebSocket } from 'ws';
import { type Authenticator, createAuthenticator } from '../../src/auth/index.js';
import { TokenDirectory } from '../auth/files.js';
import { type LogLine, recordingLogger } from '../mcp/support.js';
import { DeliveryServer } from './delivery-server.js';
import { ManualClock, settled } from './manual-clock.js';

const SECRET = 'a secret of the test, 32 bytes at least';
const ISSUER = 'https://issuer.example';

export interface AccessOptions {
  readonly origins?: readonly string[];
  /** Without static tokens nothing looks at a file. */
  readonly jwtOnly?: boolean;
}

/** A server that asks for tokens, static ones and JWT, by a clock that the test moves; all else runs in real time. */
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

  static async start({ origins = [], jwtOnly = false }: AccessOptions = {}): Promise<AccessServer> {
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
    const server = await DeliveryServer.start({}, { authenticator, origins, logger });
    server.show(0, 3, 0);
    return new AccessServer({ clock, directory, server, log: lines }, authenticator);
  }

  get url(): string {
    return `${this.server.url}/graphql`;
  }

  /** A static token; the server knows it when this resolves. */
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

  /** A JWT that lasts `lastsMs`, unless its claims say otherwise. */
  async jwt(claims: Readonly<Record<string, unknown>> = {}, lastsMs = 60_000): Promise<string> {
    const iat = Math.floor(this.clock.now() / 1000);
    const usual = { iss: ISSUER, aud: 'swarmlens', sub: 'ada', scope: 'agents:read', iat, exp: iat + lastsMs / 1000 };
    const signer = new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: 'HS256' });
    return await signer.sign(createSecretKey(SECRET, 'utf8'));
  }

  /** Lets the tokens' time pass until it is so, but none while the file system is waited for. @returns what passed */
  async until(isSo: () => boolean | Promise<boolean>): Promise<number> {
    const sinceMs = this.clock.monotonic();
    while (!(await isSo())) {
      if (this.clock.pending > 0) this.clock.advance(10);
      await settled();
    }
    return this.clock.monotonic() - sinceMs;
  }

  /** An operation over HTTP. */
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

export interface Message {
  readonly id?: string;
  readonly type: string;
  readonly payload?: unknown;
}

/** A `graphql-transport-ws` client that shows every message and how it ended. */
export class BareSocket implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly messages: Message[] = [];
  /** How the server closed it. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  #moved: () => void = () => undefined;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      this.messages.push(JSON.parse(data.toString()) as Message); // of the protocol
      this.#moved();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.#moved();
      });
    });
    socket.on('error', () => undefined);
  }

  /** Has sent `connection_init`. @param header `Authorization` of the upgrade */
  static async open(
    { server }: AccessServer,
    payload: Record<string, unknown> | null,
    header: string | null = null,
  ): Promise<BareSocket> {
    const headers = header === null ? {} : { authorization: header };
    const socket = new WebSocket(server.socketUrl, 'graphql-transport-ws', { headers });
    const made = new BareSocket(socket);
    await once(socket, 'open');
    made.send({ type: 'connection_init', ...(payload !== null && { payload }) });
    return made;
  }

  /** The same, and has been let in. */
  static async enter(server: AccessServer, token: string): Promise<BareSocket> {
    const made = await BareSocket.open(server, { authorization: `Bearer ${token}` });
    await made.until(({ messages }) => messages.some(({ type }) => type === 'connection_ack'));
    return made;
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  run(id: string, query: string, variables: object = {}): void {
    this.send({ id, type: 'subscribe', payload: { query, variables } });
  }

  /** Payloads of what an operation was told. */
  of(id: string): readonly unknown[] {
    return this.messages.filter((message) => message.id === id).map(({ payload }) => payload);
  }

  /** Resolves when `reached` says so, looking again whenever something has arrived. */
  async until(reached: (socket: BareSocket) => boolean): Promise<void> {
    while (!reached(this)) {
      if (this.socket.readyState === this.socket.CLOSED)
        throw new Error(`closed: ${JSON.stringify(await this.closed)}`);
      await new Promise<void>((resolve) => (this.#moved = resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.resume();
    this.socket.terminate();
    await this.closed;
  }
}
