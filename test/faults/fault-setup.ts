import { type App, createApp } from '../../src/app/create-app.js';
import type { Config, ServerConfig } from '../../src/config/index.js';
import { type Clock, systemClock } from '../../src/shared/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import {
  request,
  SocketClient,
  type Subscription,
  testConfig,
  StreamedState,
  type WireUpdate,
} from '../support/app.js';
import { STEADY, SteadyServer } from './healthy-server.js';

export interface StageOptions {
  readonly clock?: Clock;
  readonly config?: Partial<Config>;
}

interface Health {
  readonly healthChanges: {
    readonly serverId: string;
    readonly previousStatus: string;
    readonly status: string;
    readonly previousCircuitState: string;
    readonly circuitState: string;
    readonly reason: string | null;
  };
}

interface Notices {
  readonly notices: { readonly serverId: string | null; readonly code: string; readonly message: string };
}

const HEALTH = `subscription {
  healthChanges { serverId previousStatus status previousCircuitState circuitState reason }
}`;
const NOTICES = 'subscription { notices { serverId code message } }';

/** Runs swarmlens with faulty servers and a healthy one, and subscribes to updates, health changes and notices. */
export class Stage implements AsyncDisposable {
  readonly app: App;
  readonly client: SocketClient;
  readonly steady: SteadyServer;
  readonly servers: readonly ServerConfig[];
  readonly stream: Subscription<WireUpdate>;
  readonly #health: Subscription<Health>;
  readonly #notices: Subscription<Notices>;

  private constructor(app: App, steady: SteadyServer, servers: readonly ServerConfig[]) {
    this.app = app;
    this.steady = steady;
    this.servers = servers;
    this.client = new SocketClient(app);
    this.#health = this.client.subscribe<Health>(HEALTH);
    this.#notices = this.client.subscribe<Notices>(NOTICES);
    this.stream = this.client.watchAgents({ mode: 'NORMAL' });
  }

  /** Resolves when every server has been polled and the subscriber has received its first updates. */
  static async open(faulty: readonly ServerConfig[], options: StageOptions = {}): Promise<Stage> {
    const { clock = systemClock, config = {} } = options;
    const steady = await SteadyServer.start();
    const servers = [...faulty, steady.config];
    const app = await createApp(testConfig(servers, config), { clock, logger: silentLogger });
    await app.discovered;
    const stage = new Stage(app, steady, servers);
    await stage.goesOn();
    return stage;
  }

  /** Returns the state of the subscriber after this number of updates. @default all updates */
  stateAfter(updates = this.stream.data.length): StreamedState {
    const state = new StreamedState();
    for (const update of this.stream.data.slice(0, updates)) state.apply(update);
    return state;
  }

  /** Returns the agents of one server in the state of the subscriber. */
  agentsOf(serverId: string): Record<string, unknown>[] {
    return [...this.stateAfter().whole.values()].filter((agent) => agent['serverId'] === serverId);
  }

  /** Resolves when exactly these servers are stale in the latest update. */
  async isStale(...serverIds: readonly string[]): Promise<void> {
    const wanted = serverIds.toSorted().join();
    await this.stream.until((updates) => updates.at(-1)?.agentUpdates.staleServerIds.toSorted().join() === wanted);
  }

  /** Resolves when the subscriber has received three more updates with agents of the server. */
  async goesOn(serverId = STEADY): Promise<void> {
    const from = this.stream.data.length;
    await this.stream.until(
      (updates) =>
        updates
          .slice(from)
          .filter(({ agentUpdates }) => agentUpdates.agents.some((agent) => agent['serverId'] === serverId)).length >=
        3,
    );
  }

  /** Returns the health changes of a server in order, for example `ONLINE>DEGRADED` or `CLOSED>OPEN`. */
  health(serverId: string): string[] {
    return this.changesOf(serverId).map((change) =>
      change.previousStatus === change.status
        ? `${change.previousCircuitState}>${change.circuitState}`
        : `${change.previousStatus}>${change.status}`,
    );
  }

  /** Returns the health changes without failed probes, whose number depends on timing. */
  healthWithoutFailedProbes(serverId: string): string[] {
    const health = this.health(serverId);
    return health.filter(
      (one, index) => one !== 'HALF_OPEN>OPEN' && !(one === 'OPEN>HALF_OPEN' && health[index + 1] === 'HALF_OPEN>OPEN'),
    );
  }

  /** Returns the status changes without changes of the circuit breaker alone. */
  statuses(serverId: string): string[] {
    return this.changesOf(serverId).flatMap(({ previousStatus, status }) =>
      previousStatus === status ? [] : [`${previousStatus}>${status}`],
    );
  }

  /** Returns the reason of each health change. */
  reasons(serverId: string): (string | null)[] {
    return this.changesOf(serverId).map(({ reason }) => reason);
  }

  changesOf(serverId: string): Health['healthChanges'][] {
    return this.#health.data.map(({ healthChanges }) => healthChanges).filter((one) => one.serverId === serverId);
  }

  /** Returns the notice codes of a server in order, without RESTART_FAILED, whose number depends on timing. */
  notices(serverId: string): string[] {
    const codes = this.#notices.data.flatMap(({ notices }) => (notices.serverId === serverId ? [notices.code] : []));
    return codes.filter((code) => code !== 'RESTART_FAILED');
  }

  /** Resolves when this is the latest health change of the server. */
  async healthIs(serverId: string, last: string): Promise<void> {
    await this.#health.until(() => this.health(serverId).at(-1) === last);
  }

  /** Resolves when the server has had this health change. */
  async healthWas(serverId: string, change: string): Promise<void> {
    await this.#health.until(() => this.health(serverId).includes(change));
  }

  async noticed(serverId: string, code: string): Promise<void> {
    await this.#notices.until(() => this.notices(serverId).includes(code));
  }

  /** Runs an operation and returns its data. @throws Error if the result has errors */
  async ask(query: string, variables: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const { data, errors } = await request(this.app, query, variables);
    if (data == null || errors !== undefined) throw new Error(JSON.stringify(errors));
    return data;
  }

  /** Runs an operation over the socket of the subscriber, so that all earlier updates arrive before the result. */
  async askInTurn(query: string): Promise<Record<string, unknown>> {
    const asked = this.client.subscribe(query);
    await asked.ended();
    const [data] = asked.data;
    if (data === undefined) throw new Error(JSON.stringify(asked.error));
    return data;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await this.app[Symbol.asyncDispose]();
    await this.steady[Symbol.asyncDispose]();
  }
}
