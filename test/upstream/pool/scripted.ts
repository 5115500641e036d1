import type { GuardedCallOptions } from '../../../src/upstream/guard/guard.js';
import {
  type ConnectOptions,
  type Endpoint,
  type EndpointConfig,
  type McpSession,
  SessionClosedError,
  type SessionEvent,
  type ToolCallResult,
  type ToolInfo,
  TransportError,
} from '../../../src/mcp/index.js';
import { type PoolEvent, ReplicaPool, type ReplicaPoolDeps } from '../../../src/upstream/pool/replica-pool.js';
import { DEFAULT_SERVER_OPTIONS } from '../../../src/config/index.js';
import type { PoolOptions } from '../../../src/upstream/pool/pool-options.js';
import { Emitter, systemClock } from '../../../src/shared/index.js';
import { silentLogger } from '../../../src/telemetry/index.js';

/** Reaction of a scripted server to a call of a tool, or to a ping. @default pong */
export type Answer = (signal: AbortSignal, tool?: string) => Promise<ToolCallResult>;

export const pong: Answer = () => Promise.resolve({ isError: false, value: 'pong' });
export const hang: Answer = (signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
  });
export const broken: Answer = () => Promise.reject(new TransportError('ECONNREFUSED'));

/** Server in this process that runs on the clock of the test. */
export class ScriptedServer {
  name = 'claude-flow';
  isSimulated = true;
  tools: string[] = ['agent_list'];
  /** Error of each attempt to connect. Null if the server accepts connections. */
  refuses: string | null = null;
  onCall: Answer = pong;
  onPing: Answer = pong;
  /** Received requests in order. Each entry is `ping` or the name of a tool. */
  readonly requests: string[] = [];
  attempts = 0;
  isCommand = false;
  session: ScriptedSession | null = null;

  /** Endpoint of the server. Only a command is abandoned after failed starts. */
  get endpoint(): EndpointConfig {
    if (!this.isCommand) return { type: 'http', url: this.url, headers: {} };
    return { type: 'stdio', command: this.url, args: [], cwd: '/', env: {} };
  }

  readonly url: string;
  /** Promise that each attempt to connect awaits. */
  gate: Promise<void> = Promise.resolve();

  constructor(url: string) {
    this.url = url;
  }

  connect(): McpSession {
    this.attempts += 1;
    if (this.refuses !== null) throw new TransportError(this.refuses);
    this.session = new ScriptedSession(this);
    return this.session;
  }
}

class ScriptedSession implements McpSession {
  readonly identity;
  readonly tools: readonly ToolInfo[];
  readonly pid = null;
  readonly closed: Promise<Error | null>;
  readonly pushes = new Emitter<SessionEvent>();
  readonly #server: ScriptedServer;
  readonly #ended: Promise<never>;
  #hasEnded = false;
  #resolve: (reason: Error | null) => void = () => undefined;
  #reject: (reason: Error) => void = () => undefined;

  constructor(server: ScriptedServer) {
    this.#server = server;
    this.identity = { name: server.name, version: '1', simulated: server.isSimulated };
    this.tools = server.tools.map((name) => ({ name, description: null }));
    this.closed = new Promise((resolve) => (this.#resolve = resolve));
    this.#ended = new Promise((_resolve, reject) => (this.#reject = reject));
    this.#ended.catch(() => undefined);
  }

  /** Ends the session and rejects the outstanding calls. */
  end(reason: SessionClosedError): void {
    this.#hasEnded = true;
    this.#reject(reason);
    this.#resolve(reason);
  }

  callTool(name: string, _args: unknown, { signal }: { readonly signal: AbortSignal }): Promise<ToolCallResult> {
    this.#server.requests.push(name);
    return this.#until(() => this.#server.onCall(signal, name));
  }

  readResource(uri: string, options: { readonly signal: AbortSignal }): Promise<ToolCallResult> {
    return this.callTool(uri, {}, options);
  }

  async ping({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    this.#server.requests.push('ping');
    await this.#until(() => this.#server.onPing(signal));
  }

  onEvent(callback: (push: SessionEvent) => void): Disposable {
    return this.pushes.add(callback);
  }

  /** Closes the session and rejects the outstanding calls, like a real session. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#hasEnded = true;
    this.#reject(new SessionClosedError('the session was closed'));
    this.#resolve(null);
    return Promise.resolve();
  }

  #until<T>(answer: () => Promise<T>): Promise<T> {
    return this.#hasEnded ? this.#ended : Promise.race([answer(), this.#ended]);
  }
}

export function scripted(count: number): ScriptedServer[] {
  return Array.from({ length: count }, (_, index) => new ScriptedServer(`http://127.0.0.1:${9500 + index}/mcp`));
}

/** Returns a connect function that looks the server up by its endpoint. */
export function connectTo(servers: readonly ScriptedServer[]): ReplicaPoolDeps['connect'] {
  return (endpoint: Endpoint, _options: ConnectOptions) => {
    const key = 'url' in endpoint ? endpoint.url : 'command' in endpoint ? endpoint.command : '';
    const server = servers.find(({ url }) => url === key);
    return (server?.gate ?? Promise.resolve()).then(() => {
      if (server === undefined) throw new TransportError('no such server');
      return server.connect();
    });
  };
}

export const SETTINGS: Omit<PoolOptions, 'endpoints'> = {
  serverId: 's',
  expectedType: 'CLAUDE_FLOW',
  sticky: false,
  timeoutMs: 1_000,
  connectTimeoutMs: 1_000,
  heartbeatMs: 5_000,
  slowStartMs: 10_000,
  breaker: DEFAULT_SERVER_OPTIONS.breaker,
  restart: DEFAULT_SERVER_OPTIONS.restart,
};

/** Pool of scripted servers that records its events. */
export class ScriptedPool implements AsyncDisposable {
  readonly pool: ReplicaPool;
  readonly events: PoolEvent[] = [];

  constructor(
    servers: readonly ScriptedServer[],
    options: Partial<PoolOptions> = {},
    deps: Partial<ReplicaPoolDeps> = {},
  ) {
    this.pool = new ReplicaPool(
      { ...SETTINGS, endpoints: servers.map(({ endpoint }) => endpoint), ...options },
      {
        connect: connectTo(servers),
        clock: systemClock,
        logger: silentLogger,
        random: () => 0.5,
        detectType: ({ identity }) => (identity.name === 'claude-flow' ? 'CLAUDE_FLOW' : 'RUV_SWARM'),
        probeTool: () => ({ tool: 'agent_list', args: {} }),
        ...deps,
      },
    );
    this.pool.onEvent((event) => this.events.push(event));
  }

  call(options: Partial<GuardedCallOptions> = {}): Promise<ToolCallResult> {
    return this.pool.call((session, signal) => session.callTool('tool', {}, { signal, timeoutMs: 1_000 }), {
      signal: new AbortController().signal,
      idempotent: true,
      primary: null,
      ...options,
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.pool[Symbol.asyncDispose]();
  }
}

/** Creates the error of an orderly end, as if the server limited the age of its sessions. */
export const byAge = (): SessionClosedError => new SessionClosedError('the server closed the connection', true);
export const killed = (): SessionClosedError => new SessionClosedError('exited with 137');
