import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { MemoryBus } from '../../../src/cluster/index.js';
import type { ServerHealth } from '../../../src/model/index.js';
import { systemClock } from '../../../src/shared/index.js';
import { Demand, Store } from '../../../src/state/index.js';
import { silentLogger } from '../../../src/telemetry/index.js';
import { checkServers, type UpstreamOptions, UpstreamRegistry } from '../../../src/upstream/index.js';
import { serverConfig } from '../../support/app.js';
import { ChangeNotifier } from '../../support/wait.js';

const SERVER = fileURLToPath(new URL('ordered-server.js', import.meta.url));

type Orders = Readonly<Record<string, number | 'hang'>>;

/** Registry with one real child process that follows the orders of the test. */
class OrderedServer implements AsyncDisposable {
  readonly store = new Store({ epoch: 'test', maxTombstones: 100, maxEvents: 1_000 });
  readonly registry: UpstreamRegistry;
  readonly options: UpstreamOptions;
  readonly #folder: string;
  readonly #changes = new ChangeNotifier();

  private constructor(folder: string, settings: Partial<UpstreamOptions>) {
    this.#folder = folder;
    this.options = {
      ...serverConfig('s', [SERVER, join(folder, 'orders.json')]),
      serverType: 'DAA',
      timeoutMs: 200,
      connectTimeoutMs: 500,
      maxPollHz: 60,
      breaker: { failures: 2, initialMs: 10, maxMs: 10 },
      restart: { initialMs: 10, maxMs: 10, maxAttempts: null },
      ...settings,
    };
    const bus = new MemoryBus();
    bus.subscribe((delta) => {
      this.store.commit(delta);
      this.#changes.notify();
    });
    this.registry = new UpstreamRegistry([this.options], {
      store: this.store,
      bus,
      demand: new Demand(),
      clock: systemClock,
      logger: silentLogger,
      random: () => 0.5,
      heartbeatMs: 50,
      removeAfterMs: null,
      maxAgentsPerServer: 10_000,
    });
  }

  static async start(orders: Orders, settings: Partial<UpstreamOptions> = {}): Promise<OrderedServer> {
    const folder = await mkdtemp(join(tmpdir(), 'swarmlens-ordered-'));
    await writeFile(join(folder, 'orders.json'), JSON.stringify(orders));
    return new OrderedServer(folder, settings);
  }

  async order(orders: Orders): Promise<void> {
    await writeFile(join(this.#folder, 'orders.json'), JSON.stringify(orders));
  }

  get health(): ServerHealth {
    const health = this.registry.health('s');
    if (health === null) throw new Error('not measured');
    return health;
  }

  get tools(): number {
    return this.store.servers.get('s')?.tools.length ?? 0;
  }

  get agents(): readonly string[] {
    return [...this.store.agents.values()].map(({ name }) => name);
  }

  get circuits(): readonly string[] {
    return this.store.events.since(0).events.flatMap((event) => (event.type === 'health' ? event.circuitState : []));
  }

  until(isReached: () => boolean): Promise<void> {
    const state = (): unknown => [this.store.servers.get('s'), this.health, this.agents];
    return this.#changes.until(isReached, { state });
  }

  status(status: string): Promise<void> {
    return this.until(() => this.store.servers.get('s')?.status === status);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registry[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

describe.each(['initialize', 'tools/list'])('guard of %s', (method) => {
  test('counts a server that hangs as failing, opens the circuit breaker and recovers', async () => {
    await using server = await OrderedServer.start({ [method]: 'hang' });
    await server.until(() => server.circuits.includes('OPEN'));
    expect(server.store.servers.get('s')).toMatchObject({ status: 'OFFLINE' });
    await server.until(() => server.store.servers.get('s')?.lastError?.includes('no answer within 500 ms') === true);
    expect(server.health.failures).toBeGreaterThanOrEqual(2);
    await server.order({});
    await server.status('ONLINE');
    expect(server.health.circuitBreaker).toMatchObject({ state: 'CLOSED', consecutiveFailures: 0 });
  });

  test('accepts a late answer within the timeout of the connection, which is no latency of a call', async () => {
    await using server = await OrderedServer.start({ [method]: 300 }, { connectTimeoutMs: 60_000 });
    await server.status('ONLINE');
    expect(server.health).toMatchObject({ failures: 0 });
    expect(server.health.latency.p99Ms).toBeLessThan(300);
  });
});

describe('guard of a list of changed tools', () => {
  test('limits its time, retries it and shows the tools of a later answer, while polls go on', async () => {
    await using server = await OrderedServer.start({});
    await server.status('ONLINE');
    await server.order({ 'tools/list': 'hang', toolCount: 2, notify: 1 });
    await server.until(() => server.health.failures > 0);
    expect(server.tools).toBe(2);
    await server.order({ toolCount: 2, notify: 1 });
    await server.until(() => server.tools === 4);
    await server.status('ONLINE');
  });

  test('waits for its turn on a server that accepts one call at a time', async () => {
    await using server = await OrderedServer.start(
      {},
      { serverType: 'CLAUDE_FLOW', timeoutMs: 60_000, connectTimeoutMs: 60_000 },
    );
    await server.status('ONLINE');
    await server.order({ 'tools/list': 50, 'tools/call': 5, toolCount: 1, notify: 1 });
    await server.until(() => server.tools === 3);
    await server.order({ toolCount: 2, notify: 2 });
    await server.until(() => server.tools === 4);
    expect(server.agents).toEqual(['max-1']);
  });
});

describe('guard of ping', () => {
  test('opens the circuit breaker of a server that no poll calls when its pings hang, and closes it afterwards', async () => {
    await using server = await OrderedServer.start({}, { serverType: 'CUSTOM' });
    await server.status('ONLINE');
    await server.order({ ping: 'hang' });
    await server.until(() => server.health.circuitBreaker.state === 'OPEN' || server.circuits.includes('OPEN'));
    await server.order({});
    await server.until(() => server.circuits.at(-1) === 'CLOSED');
  });
});

describe('guard of checkServers', () => {
  test.each(['initialize', 'tools/list', 'tools/call'])('reports a server whose %s hangs', async (method) => {
    await using server = await OrderedServer.start({});
    await server.registry.remove('s');
    await server.order({ [method]: 'hang' });
    const [check] = await checkServers([server.options], {
      clock: systemClock,
      logger: silentLogger,
      heartbeatMs: 5_000,
      maxAgentsPerServer: 10_000,
      stopped: new Promise(() => undefined),
    });
    expect(check).toMatchObject({ id: 's', agentCount: null });
    expect(check?.error).toMatch(/no answer within|did not answer within/);
  });
});
