import { type App, createApp } from '../../src/app.js';
import type { Config, ServerConfig } from '../../src/config/index.js';
import { type Clock, systemClock } from '../../src/shared/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { request, SocketClient, type Subscription, testConfig, WirePicture, type WireUpdate } from '../support/app.js';
import { STEADY, SteadyServer } from './steady.js';

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

/** A swarmlens over faulty servers and a steady one, with a subscriber to all that it tells. */
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

  /** Resolves when every server has been polled and the subscriber has its first updates. */
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

  /** What the subscriber has after so many updates; after all: left out. */
  picture(updates = this.stream.data.length): WirePicture {
    const picture = new WirePicture();
    for (const update of this.stream.data.slice(0, updates)) picture.apply(update);
    return picture;
  }

  /** The subscriber's agents of one server. */
  agentsOf(serverId: string): Record<string, unknown>[] {
    return [...this.picture().whole.values()].filter((agent) => agent['serverId'] === serverId);
  }

  /** Resolves when these servers, and no others, are told to the subscriber as stale. */
  async isStale(...serverIds: readonly string[]): Promise<void> {
    const wanted = serverIds.toSorted().join();
    await this.stream.until((updates) => updates.at(-1)?.agentUpdates.staleServerIds.toSorted().join() === wanted);
  }

  /** Resolves when the subscriber has got three more updates with agents of the server. */
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

  /** What a subscriber to `healthChanges` was told of a server, in order: `ONLINE>DEGRADED`, `CLOSED>OPEN`. */
  health(serverId: string): string[] {
    return this.changesOf(serverId).map((change) =>
      change.previousStatus === change.status
        ? `${change.previousCircuitState}>${change.circuitState}`
        : `${change.previousStatus}>${change.status}`,
    );
  }

  /** The same, as if each probe that failed had not been: how many there were is a matter of time. */
  healthButFailedProbes(serverId: string): string[] {
    const health = this.health(serverId);
    return health.filter(
      (one, index) => one !== 'HALF_OPEN>OPEN' && !(one === 'OPEN>HALF_OPEN' && health[index + 1] === 'HALF_OPEN>OPEN'),
    );
  }

  /** The same without what is told of the breaker alone. */
  statuses(serverId: string): string[] {
    return this.changesOf(serverId).flatMap(({ previousStatus, status }) =>
      previousStatus === status ? [] : [`${previousStatus}>${status}`],
    );
  }

  /** Why, for each change of its health. */
  reasons(serverId: string): (string | null)[] {
    return this.changesOf(serverId).map(({ reason }) => reason);
  }

  changesOf(serverId: string): Health['healthChanges'][] {
    return this.#health.data.map(({ healthChanges }) => healthChanges).filter((one) => one.serverId === serverId);
  }

  /** The codes of a server's notices, in order; those of attempts that failed, whose number is a matter of time, left out. */
  notices(serverId: string): string[] {
    const codes = this.#notices.data.flatMap(({ notices }) => (notices.serverId === serverId ? [notices.code] : []));
    return codes.filter((code) => code !== 'RESTART_FAILED');
  }

  /** Resolves when the subscriber to `healthChanges` has been told this last of the server. */
  async healthIs(serverId: string, last: string): Promise<void> {
    await this.#health.until(() => this.health(serverId).at(-1) === last);
  }

  /** Resolves when that subscriber has been told this of the server at all. */
  async healthWas(serverId: string, change: string): Promise<void> {
    await this.#health.until(() => this.health(serverId).includes(change));
  }

  async noticed(serverId: string, code: string): Promise<void> {
    await this.#notices.until(() => this.notices(serverId).includes(code));
  }

  /** @returns the data of an operation that has no errors */
  async ask(query: string, variables: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const { data, errors } = await request(this.app, query, variables);
    if (data == null || errors !== undefined) throw new Error(JSON.stringify(errors));
    return data;
  }

  /** The same over the subscriber's own socket: all that it was told before the answer has arrived then. */
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
