import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { NO_AUTHENTICATION } from '../../src/auth/index.js';
import { MemoryBus } from '../../src/bus/index.js';
import { Collector, Demand } from '../../src/collector/index.js';
import { ActiveStreams, Commits, eventLoopUtilization, Groups, RateClock } from '../../src/delivery/index.js';
import { type Agent, NO_PERFORMANCE } from '../../src/domain/index.js';
import { type Limits, memoryRates, MemoryLimitCounters } from '../../src/limits/index.js';
import { type DeliveryOptions, startServer } from '../../src/server/index.js';
import type { StartOptions } from '../../src/server/start.js';
import { type Clock, systemClock, timestamp } from '../../src/shared/index.js';
import { Sights } from '../../src/sight/index.js';
import { emptyChange, Store } from '../../src/state/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { serverOf } from './arbitraries.js';
import { TEST_LIMITS } from './limits.js';
import { ChangeNotifier } from './wait.js';

export const DELIVERY: DeliveryOptions = { compressFromBytes: 512, maxBufferedBytes: 65_536, maxSlowMs: null };

/** The program's server over a picture that a test changes by hand, without MCP servers. */
export class DeliveryServer implements AsyncDisposable {
  readonly store = new Store({ epoch: randomUUID(), maxTombstones: 1_000, maxEvents: 16 });
  readonly demand = new Demand();
  readonly active = new ActiveStreams();
  readonly groups: Groups;
  /** Names of the taps that were let in. */
  readonly taps: string[] = [];
  readonly errors: unknown[] = [];
  readonly counters = new MemoryLimitCounters();
  /** What was done that may be done once a second, by whom. */
  readonly uses: { readonly what: string; readonly clientId: string }[] = [];
  /** What looking for candidates fails with; `null`: there are none. */
  failure: Error | null = null;
  readonly url: string;
  readonly #rateClock: RateClock;
  readonly #commits: Commits;
  #close: () => Promise<void> = () => Promise.resolve();
  #stopping: Promise<void> | null = null;

  private constructor(clock: Clock, utilization: () => number) {
    this.#rateClock = new RateClock(clock);
    this.#commits = new Commits(this.store);
    this.groups = new Groups({
      store: this.store,
      demand: this.demand,
      active: this.active,
      rateClock: this.#rateClock,
      utilization,
      onError: (error) => this.errors.push(error),
    });
    this.url = '';
  }

  /** @param access who is let in; left out: everybody. `clock`: of connections, streams and answers; `utilization`: of the event loop */
  static async start(
    delivery: Partial<DeliveryOptions> = {},
    access: Partial<
      Pick<
        StartOptions,
        'authenticator' | 'origins' | 'anyHost' | 'logger' | 'trustedDocuments' | 'clock' | 'shutdownMs'
      > & { readonly utilization: () => number }
    > = {},
    limits: Partial<Limits> = {},
  ): Promise<DeliveryServer> {
    const { clock = systemClock, utilization = eventLoopUtilization(), ...start } = access;
    const made = new DeliveryServer(clock, utilization);
    const { store, demand, active, groups } = made;
    const collector = new Collector([], {
      store,
      bus: new MemoryBus(),
      demand,
      clock,
      logger: silentLogger,
      random: Math.random,
      heartbeatMs: 5_000,
    });
    const sights = new Sights({
      whole: {
        store,
        collector,
        candidates: {
          list: () => (made.failure === null ? Promise.resolve([]) : Promise.reject(made.failure)),
          forget: () => undefined,
        },
        streams: { store, demand, commits: made.#commits, rateClock: made.#rateClock, active, groups },
      },
      maxTombstones: 1_000,
      maxEvents: 16,
      utilization,
      clock,
      onError: (error) => made.errors.push(error),
    });
    const server = await startServer({
      host: '127.0.0.1',
      port: 0,
      authenticator: NO_AUTHENTICATION,
      origins: [],
      anyHost: false,
      joinTap: ({ name }) => void made.taps.push(name),
      sights,
      services: {
        rateClock: made.#rateClock,
        clock,
        limitToOncePerSecond: (what, clientId) => Promise.resolve(void made.uses.push({ what, clientId })),
      },
      activeStreams: active,
      clock,
      logger: silentLogger,
      playgroundDirectory: '/nonexistent',
      discovered: Promise.resolve(),
      delivery: { ...DELIVERY, ...delivery },
      shutdownMs: 500,
      counters: made.counters,
      makeRate: memoryRates,
      ...start,
      limits: { ...TEST_LIMITS, ...limits },
    });
    made.#close = async () => {
      await server[Symbol.asyncDispose]();
      sights[Symbol.dispose]();
      await collector[Symbol.asyncDispose]();
    };
    return Object.assign(made, { url: server.url });
  }

  /** Resolves when nobody is connected any more. */
  stop(): Promise<void> {
    this.#stopping ??= this.#close();
    return this.#stopping;
  }

  get socketUrl(): string {
    return `${this.url.replace('http', 'ws')}/graphql`;
  }

  /** Makes agents `from` to `to` what they are in a round: another round, other values. */
  show(from: number, to: number, round: number): void {
    const agents = Array.from({ length: to - from }, (_, index) => agentOf(from + index, round));
    const server = this.store.servers.size === 0 ? serverOf('x') : null;
    this.store.commit({ ...emptyChange('x'), server, seenAt: timestamp(systemClock), agents });
  }

  remove(ids: readonly string[]): void {
    this.store.commit({ ...emptyChange('x'), removedAgentIds: [...ids] });
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
    performance: { ...NO_PERFORMANCE, tasksCompleted: round },
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

/** A client on a bare `ws` socket, which can stop reading; keeps the picture that it is told. */
export class BareClient implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly updates: StreamedUpdate[] = [];
  readonly picture = new Map<string, string>();
  bytes = 0;
  readonly #changes = new ChangeNotifier();
  #acknowledged = false;
  #end: string | null = null;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      this.bytes += data.length;
      this.#take(data.toString());
    });
    socket.on('close', (code, reason) => {
      this.#end = `closed with ${code} ${reason.toString()}`;
      this.#changes.notify();
    });
    socket.on('error', () => undefined);
  }

  static async connect(server: DeliveryServer, perMessageDeflate = false): Promise<BareClient> {
    const socket = new WebSocket(server.socketUrl, 'graphql-transport-ws', { perMessageDeflate });
    const client = new BareClient(socket);
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
  async until(isReached: (client: BareClient) => boolean): Promise<void> {
    await this.#changes.until(() => isReached(this), {
      state: () => ({ updates: this.updates.length, agents: this.picture.size, last: this.updates.at(-1) }),
      failure: () => this.#end,
    });
  }

  #take(text: string): void {
    const message = JSON.parse(text) as { type: string; payload?: { data?: { agentUpdates: StreamedUpdate } } }; // graphql-transport-ws
    if (message.type === 'connection_ack') {
      this.#acknowledged = true;
      this.#changes.notify();
    }
    const update = message.payload?.data?.agentUpdates;
    if (message.type !== 'next' || update === undefined) return;
    this.updates.push(update);
    if (update.kind === 'SNAPSHOT') this.picture.clear();
    for (const { id, name } of update.agents) this.picture.set(id, name);
    for (const id of update.removedAgentIds) this.picture.delete(id);
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

/** Data of a query over HTTP. */
export async function ask<T>(server: DeliveryServer, query: string): Promise<T> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return ((await response.json()) as { data: T }).data; // the shape that GraphQL over HTTP prescribes
}

/** Names of all agents by id, as a query answers now. */
export async function freshPicture(server: DeliveryServer): Promise<Map<string, string>> {
  const { agents } = await ask<{ agents: { id: string; name: string }[] }>(server, '{ agents { id name } }');
  return new Map(agents.map(({ id, name }) => [id, name]));
}
