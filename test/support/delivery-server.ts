import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { anonymousAuthenticator } from '../../src/auth/index.js';
import { MemoryBus } from '../../src/cluster/index.js';
import { UpstreamRegistry } from '../../src/upstream/index.js';
import { Demand, emptyDelta, Store } from '../../src/state/index.js';
import {
  ActiveStreams,
  CommitWaiter,
  createUtilizationProbe,
  RateClock,
  SubscriptionGroups,
} from '../../src/delivery/index.js';
import { type Agent, UNKNOWN_PERFORMANCE } from '../../src/model/index.js';
import type { Limits } from '../../src/config/index.js';
import {
  createMemoryRateLimiter,
  type DeliveryOptions,
  MemoryLimitCounters,
  startServer,
  type SwarmlensServer,
} from '../../src/server/index.js';
import type { StartServerOptions } from '../../src/server/start-server.js';
import { type Clock, isoTimestamp, loadTapKey, systemClock } from '../../src/shared/index.js';
import { AccessScopes } from '../../src/access/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { serverOf } from './arbitraries.js';
import { TEST_LIMITS } from './limits.js';
import { TAP_KEY_FILE } from './tap-key-file.js';
import { ChangeNotifier } from './wait.js';
import { UNOBSERVED } from './unknown-fields.js';

export const DELIVERY: DeliveryOptions = { compressFromBytes: 512, maxBufferedBytes: 65_536, maxSlowMs: null };

/** Server of the program over a store that a test changes directly, without MCP servers. */
export class DeliveryServer implements AsyncDisposable {
  readonly store = new Store({ epoch: randomUUID(), maxTombstones: 1_000, maxEvents: 16 });
  readonly demand = new Demand();
  readonly active = new ActiveStreams();
  readonly groups: SubscriptionGroups;
  /** Names of the accepted taps. */
  readonly taps: string[] = [];
  readonly errors: unknown[] = [];
  readonly counters = new MemoryLimitCounters();
  /** Uses of actions that are limited to once per second, with the client of each. */
  readonly uses: { readonly what: string; readonly clientId: string; readonly connectionId: string | null }[] = [];
  /** Error that discovery fails with. Discovery returns no candidates if it is null. */
  failure: Error | null = null;
  readonly url: string;
  /** Counters of closed connections. */
  readonly closes: SwarmlensServer['closes'] | null = null;
  readonly #rateClock: RateClock;
  readonly #commits: CommitWaiter;
  #close: () => Promise<void> = () => Promise.resolve();
  #stopping: Promise<void> | null = null;

  private constructor(clock: Clock, utilization: () => number) {
    this.#rateClock = new RateClock(clock);
    this.#commits = new CommitWaiter(this.store);
    this.groups = new SubscriptionGroups({
      store: this.store,
      demand: this.demand,
      active: this.active,
      rateClock: this.#rateClock,
      utilization,
      onError: (error) => this.errors.push(error),
    });
    this.url = '';
  }

  /**
   * @param access authentication and origins; without it, the server accepts every client. `clock` times connections,
   * streams and responses, and `utilization` returns the utilization of the event loop.
   */
  static async start(
    delivery: Partial<DeliveryOptions> = {},
    access: Partial<
      Pick<
        StartServerOptions,
        | 'authenticator'
        | 'origins'
        | 'playgroundDirectory'
        | 'allowHeaders'
        | 'anyHost'
        | 'createRateLimiter'
        | 'logger'
        | 'trustedDocuments'
        | 'clock'
        | 'shutdownMs'
        | 'busFailure'
        | 'discovered'
      > & { readonly utilization: () => number }
    > = {},
    limits: Partial<Limits> = {},
  ): Promise<DeliveryServer> {
    const { clock = systemClock, utilization = createUtilizationProbe(), ...start } = access;
    const created = new DeliveryServer(clock, utilization);
    const { store, demand, active, groups } = created;
    const upstreams = new UpstreamRegistry([], {
      store,
      bus: new MemoryBus(),
      demand,
      clock,
      logger: silentLogger,
      random: Math.random,
      heartbeatMs: 5_000,
      removeAfterMs: null,
      maxAgentsPerServer: 10_000,
    });
    const accessScopes = new AccessScopes({
      unrestricted: {
        store,
        upstreams,
        candidates: {
          list: () => (created.failure === null ? Promise.resolve([]) : Promise.reject(created.failure)),
          clear: () => undefined,
        },
        streams: { store, demand, commits: created.#commits, rateClock: created.#rateClock, active, groups },
      },
      maxTombstones: 1_000,
      maxEvents: 16,
      utilization,
      clock,
      onError: (error) => created.errors.push(error),
    });
    const server = await startServer({
      host: '127.0.0.1',
      port: 0,
      authenticator: anonymousAuthenticator,
      origins: [],
      anyHost: false,
      joinTap: ({ name }) => void created.taps.push(name),
      loadTapKey: () => loadTapKey(TAP_KEY_FILE),
      accessScopes,
      services: {
        rateClock: created.#rateClock,
        clock,
        limitToOncePerSecond: (what, client) => Promise.resolve(void created.uses.push({ what, ...client })),
      },
      activeStreams: active,
      clock,
      logger: silentLogger,
      playgroundDirectory: '/nonexistent',
      discovered: Promise.resolve(),
      delivery: { ...DELIVERY, ...delivery },
      shutdownMs: 500,
      counters: created.counters,
      createRateLimiter: createMemoryRateLimiter,
      ...start,
      limits: { ...TEST_LIMITS, ...limits },
    });
    created.#close = async () => {
      await server[Symbol.asyncDispose]();
      accessScopes[Symbol.dispose]();
      await upstreams[Symbol.asyncDispose]();
    };
    return Object.assign(created, { url: server.url, closes: server.closes });
  }

  /** Resolves when all connections are closed. */
  stop(): Promise<void> {
    this.#stopping ??= this.#close();
    return this.#stopping;
  }

  get socketUrl(): string {
    return `${this.url.replace('http', 'ws')}/graphql`;
  }

  /** Sets agents `from` (inclusive) to `to` (exclusive) to the values of a round. Each round has other values. */
  show(from: number, to: number, round: number): void {
    const agents = Array.from({ length: to - from }, (_, index) => agentOf(from + index, round));
    const server = this.store.servers.size === 0 ? serverOf('x') : null;
    this.store.commit({ ...emptyDelta('x'), server, seenAt: isoTimestamp(systemClock), agents });
  }

  remove(ids: readonly string[]): void {
    this.store.commit({ ...emptyDelta('x'), removedAgentIds: [...ids] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.#commits[Symbol.dispose]();
    this.groups[Symbol.dispose]();
  }
}

function agentOf(index: number, round: number): Agent {
  return {
    id: `x:${index}`,
    nativeId: `${index}`,
    serverId: 'x',
    serverType: 'RUV_SWARM',
    swarmId: null,
    name: `agent ${index} in round ${round}`,
    type: index % 2 === 0 ? 'coder' : 'tester',
    status: round % 2 === 0 ? 'ACTIVE' : 'BUSY',
    capabilities: ['a', 'b'],
    model: null,
    currentTaskId: null,
    ...UNOBSERVED,
    performance: { ...UNKNOWN_PERFORMANCE, tasksCompleted: round },
    neural: null,
    topology: null,
    stale: false,
    simulated: true,
    createdAt: null,
    lastActiveAt: null,
    lastSeenAt: '2026-11-24T00:00:00.000Z',
  };
}

export interface StreamedUpdate {
  readonly kind: 'SNAPSHOT' | 'DELTA';
  readonly cursor: string;
  readonly agents: readonly { readonly id: string; readonly name: string }[];
  readonly removedAgentIds: readonly string[];
  readonly rate: { readonly requestedHz: number; readonly effectiveHz: number };
}

/** Client on a `ws` socket that can stop reading. Applies the updates of `agentUpdates` to `agentNames`. */
export class RawStreamClient implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly updates: StreamedUpdate[] = [];
  /** Names of agents by id, after all updates so far. */
  readonly agentNames = new Map<string, string>();
  /** Number of received bytes of messages. */
  bytes = 0;
  readonly #changes = new ChangeNotifier();
  #acknowledged = false;
  #end: string | null = null;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      this.bytes += data.length;
      this.#handleMessage(data.toString());
    });
    socket.on('close', (code, reason) => {
      this.#end = `closed with ${code} ${reason.toString()}`;
      this.#changes.notify();
    });
    socket.on('error', () => undefined);
  }

  static async connect(server: DeliveryServer, perMessageDeflate = false): Promise<RawStreamClient> {
    const socket = new WebSocket(server.socketUrl, 'graphql-transport-ws', { perMessageDeflate });
    const client = new RawStreamClient(socket);
    await once(socket, 'open');
    socket.send('{"type":"connection_init"}');
    await client.until(() => client.#acknowledged);
    return client;
  }

  subscribe(args = 'mode: HIGH_FREQUENCY', id = '1'): void {
    const query = `subscription { agentUpdates(${args}) { kind cursor removedAgentIds rate { requestedHz effectiveHz } agents { id name capabilities performance { tasksCompleted } } } }`;
    this.socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query } }));
  }

  /** Resolves once `isReached` returns true, checked after each message; rejects when the socket is closed. */
  async until(isReached: (client: RawStreamClient) => boolean): Promise<void> {
    await this.#changes.until(() => isReached(this), {
      state: () => ({ updates: this.updates.length, agents: this.agentNames.size, last: this.updates.at(-1) }),
      failure: () => this.#end,
    });
  }

  #handleMessage(text: string): void {
    const message = JSON.parse(text) as { type: string; payload?: { data?: { agentUpdates: StreamedUpdate } } }; // graphql-transport-ws
    if (message.type === 'connection_ack') {
      this.#acknowledged = true;
      this.#changes.notify();
    }
    const update = message.payload?.data?.agentUpdates;
    if (message.type !== 'next' || update === undefined) return;
    this.updates.push(update);
    if (update.kind === 'SNAPSHOT') this.agentNames.clear();
    for (const { id, name } of update.agents) this.agentNames.set(id, name);
    for (const id of update.removedAgentIds) this.agentNames.delete(id);
    this.#changes.notify();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.readyState === this.socket.CLOSED) return;
    this.socket.resume();
    const closed = once(this.socket, 'close');
    this.socket.terminate();
    await closed;
  }
}

/** Returns the data of a query over HTTP. */
export async function ask<T>(server: DeliveryServer, query: string): Promise<T> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return ((await response.json()) as { data: T }).data; // response format of GraphQL over HTTP
}

/** Returns the names of all agents by id, as a query returns them now. */
export async function queryAgentNames(server: DeliveryServer): Promise<Map<string, string>> {
  const { agents } = await ask<{ agents: { id: string; name: string }[] }>(server, '{ agents { id name } }');
  return new Map(agents.map(({ id, name }) => [id, name]));
}
