import { fileURLToPath } from 'node:url';
import type { GraphQLFormattedError } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { type App, createApp } from '../../src/app.js';
import type { Config, ServerConfig } from '../../src/config/index.js';
import { systemClock } from '../../src/shared/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { TEST_LIMITS } from './limits.js';
import { merge } from './reader.js';

/** The built program: what the simulators are started from, as child processes. */
export const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface SimulatorFlags {
  readonly agents?: number;
  readonly seed?: number;
  readonly hz?: number;
}

/** A server entry that starts a simulator over stdio. */
export function simulator(
  type: 'claude-flow' | 'ruv-swarm' | 'daa',
  flags: SimulatorFlags = {},
  overrides: Partial<ServerConfig> = {},
): ServerConfig {
  const { agents = 8, seed = 1, hz = 10 } = flags;
  const args = ['simulate', '--type', type, '--agents', `${agents}`, '--seed', `${seed}`, '--hz', `${hz}`];
  return serverConfig(type, [PROGRAM, ...args], overrides);
}

export function serverConfig(id: string, args: readonly string[], overrides: Partial<ServerConfig> = {}): ServerConfig {
  return {
    id,
    endpoint: { type: 'stdio', command: process.execPath, args, cwd: process.cwd(), env: {} },
    serverType: null,
    maxPollHz: 60,
    maxPollShare: 0.5,
    allowTools: [],
    timeoutMs: 3_000,
    connectTimeoutMs: 15_000,
    ...overrides,
  };
}

/** A running swarmlens on a free port, with its first discovery behind it. */
export async function startApp(servers: readonly ServerConfig[], overrides: Partial<Config> = {}): Promise<App> {
  const app = await createApp(testConfig(servers, overrides), { clock: systemClock, logger: silentLogger });
  await app.discovered;
  return app;
}

export function testConfig(servers: readonly ServerConfig[], overrides: Partial<Config> = {}): Config {
  return {
    servers,
    host: '127.0.0.1',
    port: 0,
    bus: 'memory',
    logLevel: 'silent',
    demo: false,
    heartbeatMs: 1_000,
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

/** An operation over HTTP. */
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
  return (await response.json()) as GraphQLAnswer; // the shape that GraphQL over HTTP prescribes
}

/** A real graphql-ws client on a real socket. */
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.dispose();
  }
}

/** One subscription: remembers what came, and lets a test wait for it. */
export class Subscription<T> implements Disposable {
  readonly results: {
    readonly data?: T | null | undefined;
    readonly errors?: readonly GraphQLFormattedError[] | undefined;
  }[] = [];
  readonly arrivedAtMs: number[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #unsubscribe: () => void;
  #ended = false;
  #error: unknown = null;

  constructor(client: Client, query: string, variables: Record<string, unknown>) {
    this.#unsubscribe = client.subscribe<T>(
      { query, variables },
      {
        next: (result) => {
          this.results.push(result);
          this.arrivedAtMs.push(performance.now());
          this.#look();
        },
        error: (error) => {
          this.#error = error;
          this.#ended = true;
          this.#look();
        },
        complete: () => {
          this.#ended = true;
          this.#look();
        },
      },
    );
  }

  /** What the server ended it with. */
  get error(): unknown {
    return this.#error;
  }

  get data(): T[] {
    return this.results.flatMap(({ data }) => (data == null ? [] : [data]));
  }

  /** Resolves when `reached` says so, looking again at each result; rejects when the subscription ends before. */
  until(reached: (data: readonly T[]) => boolean): Promise<readonly T[]> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (reached(this.data)) resolve(this.data);
        else if (this.#ended) reject(new Error(`subscription ended: ${JSON.stringify(this.#error)}`));
        else return;
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Resolves when the server has ended it. */
  async ended(): Promise<void> {
    if (!this.#ended) {
      await new Promise<void>((resolve) => {
        const look = (): void => {
          if (!this.#ended) return;
          this.#waiting.delete(look);
          resolve();
        };
        this.#waiting.add(look);
      });
    }
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
  }

  #look(): void {
    for (const look of [...this.#waiting]) look();
  }
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

/** The picture that a client has after these updates: once through whole agents, once through patches. */
export class WirePicture {
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
      const { lastSeenAt: _moves, ...changed } = patch;
      this.patched.set(id, merge(this.patched.get(id) ?? {}, changed));
    }
    for (const id of update.removedAgentIds) {
      this.whole.delete(id);
      this.patched.delete(id);
    }
    return this;
  }
}
