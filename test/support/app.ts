import { fileURLToPath } from 'node:url';
import type { GraphQLFormattedError } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { type App, createApp } from '../../src/app/create-app.js';
import { type Config, DEFAULT_SERVER_OPTIONS, type ServerConfig } from '../../src/config/index.js';
import { systemClock } from '../../src/shared/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { TEST_LIMITS } from './limits.js';
import { TAP_KEY_FILE } from './tap-key-file.js';
import { merge } from './contract-client.js';
import { ChangeNotifier } from './wait.js';

/** Path of the built program, from which tests start simulators as child processes. */
export const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface SimulatorFlags {
  readonly agents?: number;
  readonly seed?: number;
  readonly hz?: number;
}

/** Returns a server entry that starts a simulator over stdio. */
export function simulator(
  type: 'claude-flow' | 'ruv-swarm' | 'daa',
  flags: SimulatorFlags = {},
  overrides: Partial<ServerConfig> = {},
): ServerConfig {
  const { agents = 8, seed = 1, hz = 10 } = flags;
  const args = ['simulate', '--type', type, '--agents', `${agents}`, '--seed', `${seed}`, '--hz', `${hz}`];
  return serverConfig(type, [PROGRAM, ...args], overrides);
}

/** Returns a server entry whose timeouts do not expire on a slow machine. Tests of expiry set their own timeouts. */
export function serverConfig(id: string, args: readonly string[], overrides: Partial<ServerConfig> = {}): ServerConfig {
  return {
    ...DEFAULT_SERVER_OPTIONS,
    id,
    endpoint: { type: 'stdio', command: process.execPath, args, cwd: process.cwd(), env: {} },
    timeoutMs: 60_000,
    connectTimeoutMs: 120_000,
    ...overrides,
  };
}

/** Starts swarmlens on a free port. Resolves when its first discovery has ended. */
export async function startApp(servers: readonly ServerConfig[], overrides: Partial<Config> = {}): Promise<App> {
  const app = await createApp(testConfig(servers, overrides), { clock: systemClock, logger: silentLogger });
  await app.discovered;
  return app;
}

export function testConfig(servers: readonly ServerConfig[], overrides: Partial<Config> = {}): Config {
  return {
    file: null,
    warnings: [],
    servers,
    demo: false,
    discovery: { directory: null, hosts: [], ports: [] },
    auth: null,
    origins: [],
    allowHeaders: [],
    trustedDocuments: null,
    insecureNoAuth: false,
    tapKeyFile: TAP_KEY_FILE,
    tapMappings: new Map(),
    host: '127.0.0.1',
    port: 0,
    bus: 'memory',
    busPrefix: 'swarmlens',
    busKeys: [],
    busTls: null,
    leaseMs: 2_000,
    tracesUrl: null,
    variables: new Map(),
    logLevel: 'silent',
    heartbeatMs: 1_000,
    removeAfterMs: null,
    tombstones: 10_000,
    shutdownMs: 2_000,
    compressFromBytes: 512,
    maxBufferedBytes: 524_288,
    maxSlowMs: 60_000,
    limits: TEST_LIMITS,
    ...overrides,
  };
}

export interface GraphQLAnswer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { message: string; path?: readonly unknown[]; extensions?: Record<string, unknown> }[];
}

/** Runs an operation over HTTP. */
export async function request(
  app: Pick<App, 'url'>,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<GraphQLAnswer> {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as GraphQLAnswer; // response format of GraphQL over HTTP
}

/** Client of the graphql-ws package on a real socket. */
export class SocketClient implements AsyncDisposable {
  readonly client: Client;

  constructor(app: Pick<App, 'url'>, connectionParams: Record<string, unknown> = {}) {
    this.client = createClient({
      url: `${app.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      lazy: false,
      connectionParams,
      onNonLazyError: () => undefined,
    });
  }

  subscribe<T = Record<string, unknown>>(query: string, variables: Record<string, unknown> = {}): Subscription<T> {
    return new Subscription<T>(this.client, query, variables);
  }

  /** Subscribes to `AGENT_UPDATES` and resumes with `after` when the connection is cut, as `docs/protocol.md` requires. */
  watchAgents(variables: Record<string, unknown> = {}): Subscription<WireUpdate> {
    return new Subscription<WireUpdate>(this.client, AGENT_UPDATES, variables, (update) => update.agentUpdates.cursor);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.dispose();
  }
}

/** Subscription that records its results and lets a test wait for them. */
export class Subscription<T> implements Disposable {
  readonly results: {
    readonly data?: T | null | undefined;
    readonly errors?: readonly GraphQLFormattedError[] | undefined;
  }[] = [];
  readonly #changes = new ChangeNotifier();
  readonly #client: Client;
  readonly #query: string;
  readonly #cursorOf: ((data: T) => string) | null;
  #variables: Record<string, unknown>;
  #unsubscribe: () => void = () => undefined;
  #ended = false;
  #error: unknown = null;
  #cuts = 0;

  /** @param cursorOf returns the cursor to resume from; if null, the subscription ends when its connection is cut */
  constructor(
    client: Client,
    query: string,
    variables: Record<string, unknown>,
    cursorOf: ((data: T) => string) | null = null,
  ) {
    this.#client = client;
    this.#query = query;
    this.#variables = variables;
    this.#cursorOf = cursorOf;
    this.#subscribe();
  }

  /** Number of times the connection was cut and the subscription resumed. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Error or close event that ended the subscription. */
  get error(): unknown {
    return this.#error;
  }

  get data(): T[] {
    return this.results.flatMap(({ data }) => (data == null ? [] : [data]));
  }

  /** Resolves once `isReached` returns true, checked after each result; rejects when the subscription has ended. */
  async until(isReached: (data: readonly T[]) => boolean): Promise<readonly T[]> {
    await this.#changes.until(() => isReached(this.data), {
      state: () => ({ results: this.results.length, last: this.results.at(-1) }),
      failure: () => (this.#ended ? `subscription ended: ${describeEnd(this.#error)}` : null),
    });
    return this.data;
  }

  /** Resolves when the subscription has ended. */
  async ended(): Promise<void> {
    await this.#changes.until(() => this.#ended, {
      state: () => ({ results: this.results.length, last: this.results.at(-1) }),
    });
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
  }

  #subscribe(): void {
    this.#unsubscribe = this.#client.subscribe<T>(
      { query: this.#query, variables: this.#variables },
      {
        next: (result) => {
          this.results.push(result);
          this.#changes.notify();
        },
        error: (error) => this.#handleError(error),
        complete: () => this.#end(null),
      },
    );
  }

  #handleError(error: unknown): void {
    if (this.#cursorOf === null || !isRetryableClose(error)) {
      this.#end(error);
      return;
    }
    this.#cuts += 1;
    const last = this.data.at(-1);
    if (last !== undefined) this.#variables = { ...this.#variables, after: this.#cursorOf(last) };
    const timer = setTimeout(() => this.#subscribe(), RECONNECT_PAUSE_MS);
    this.#unsubscribe = () => clearTimeout(timer);
  }

  #end(error: unknown): void {
    this.#error = error;
    this.#ended = true;
    this.#changes.notify();
  }
}

const RECONNECT_PAUSE_MS = 50;

/** Close codes after which `docs/protocol.md` asks a client to reconnect. */
const RETRYABLE_CLOSE_CODES: readonly unknown[] = [1001, 1006, 1012, 1013];

/** Returns whether `docs/protocol.md` asks a client to reconnect after this error. */
export function isRetryableClose(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && RETRYABLE_CLOSE_CODES.includes(error.code);
}

/** Formats the close code and reason of a socket, the messages of GraphQL errors, or any other error. */
export function describeEnd(error: unknown): string {
  if (error === null) return 'completed';
  if (typeof error === 'object' && 'code' in error && 'reason' in error) {
    return `closed with ${String(error.code)} ${String(error.reason)}`;
  }
  return error instanceof Error ? error.message : JSON.stringify(error);
}

export const AGENT_FIELDS = `
  id nativeId serverId serverType swarmId name type status capabilities stale simulated createdAt lastActiveAt
  performance { cpuUsage memoryUsage healthScore activityLevel tasksActive tasksCompleted tasksFailed successRate
    tokenUsage tokenRate responseTimeMs throughput }
  neural { cognitivePattern networkId adaptations learningRate }
  topology { role parentId depth degree inferred }
`;

export interface WireUpdate {
  readonly agentUpdates: {
    readonly kind: 'SNAPSHOT' | 'DELTA';
    readonly cursor: string;
    readonly timestamp: string;
    readonly agents: readonly ({ readonly id: string } & Record<string, unknown>)[];
    readonly patches: readonly { readonly id: string; readonly patch: Record<string, unknown> }[];
    readonly removedAgentIds: readonly string[];
    readonly staleServerIds: readonly string[];
    readonly rate: { readonly requestedHz: number; readonly effectiveHz: number };
    readonly performanceMetrics: Record<string, unknown> | null;
    readonly topologyChanges: readonly Record<string, unknown>[] | null;
  };
}

export const AGENT_UPDATES = `
  subscription Watch($serverTypes: [McpServerType!], $agentTypes: [String!], $swarmIds: [ID!], $includePerformance: Boolean,
      $includeNeural: Boolean, $includeTopology: Boolean, $mode: PerformanceMode, $after: ID) {
    agentUpdates(serverTypes: $serverTypes, agentTypes: $agentTypes, swarmIds: $swarmIds,
        includePerformance: $includePerformance, includeNeural: $includeNeural, includeTopology: $includeTopology,
        mode: $mode, after: $after) {
      kind cursor timestamp removedAgentIds staleServerIds
      agents { ${AGENT_FIELDS} }
      patches { id patch }
      rate { requestedHz effectiveHz }
      performanceMetrics { totalAgents activeAgents }
      topologyChanges { kind swarmId edges { id from to relation inferred } removedEdgeIds }
    }
  }
`;

/** State of a client after a series of updates: once from whole agents, once from patches. */
export class StreamedState {
  readonly whole = new Map<string, Record<string, unknown>>();
  readonly patched = new Map<string, Record<string, unknown>>();

  apply({ agentUpdates: update }: WireUpdate): this {
    if (update.kind === 'SNAPSHOT') {
      this.whole.clear();
      this.patched.clear();
      for (const agent of update.agents) this.patched.set(agent.id, merge({}, agent));
    }
    for (const agent of update.agents) this.whole.set(agent.id, agent);
    for (const { id, patch } of update.patches) {
      const { lastSeenAt: _, ...changed } = patch;
      this.patched.set(id, merge(this.patched.get(id) ?? {}, changed));
    }
    for (const id of update.removedAgentIds) {
      this.whole.delete(id);
      this.patched.delete(id);
    }
    return this;
  }
}
