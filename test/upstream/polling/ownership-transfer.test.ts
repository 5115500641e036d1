import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MemoryBus, type Ownership, type OwnershipCandidate, type RemoteServers } from '../../../src/cluster/index.js';
import { type UpstreamOptions, UpstreamRegistry } from '../../../src/upstream/index.js';
import { createView, Demand, Store } from '../../../src/state/index.js';
import { type HealthChange, UNRESTRICTED } from '../../../src/model/index.js';
import { systemClock } from '../../../src/shared/index.js';
import { silentLogger } from '../../../src/telemetry/index.js';
import { holdTime } from '../guard/support.js';
import { connectTo, hang, killed, scripted, type ScriptedServer } from '../pool/scripted.js';
import { serverConfig } from '../../support/app.js';
import { settled } from '../../support/manual-clock.js';
import { Reader } from '../../support/contract-client.js';
import { listing } from './scripted-swarm.js';

beforeEach(holdTime);
afterEach(() => vi.useRealTimers());

async function pass(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await settled();
}

/** Ownership that the test decides. */
class ScriptedOwnership implements Ownership {
  claimed: OwnershipCandidate | null = null;
  releases = 0;
  settle: () => void = () => undefined;
  readonly remote: RemoteServers = {
    serverIds: [],
    health: () => null,
    poll: () => Promise.resolve(true),
    callTool: () => Promise.resolve({ isError: false, content: 'from the other node', durationMs: 1 }),
  };

  claim(_serverId: string, claim: OwnershipCandidate): ReturnType<Ownership['claim']> {
    this.claimed = claim;
    const settled = new Promise<void>((resolve) => (this.settle = resolve));
    return {
      decided: settled,
      [Symbol.asyncDispose]: () => {
        this.releases += 1;
        return Promise.resolve();
      },
    };
  }

  gain(): void {
    this.claimed?.onAcquired();
    this.settle();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

/** Node with its own store, on a bus that loses no messages. */
class Node implements AsyncDisposable {
  readonly ownership = new ScriptedOwnership();
  readonly store = new Store({ epoch: 'test', maxTombstones: 1_000, maxEvents: 1_000 });
  readonly registry: UpstreamRegistry;
  readonly reader = new Reader();
  readonly removed: string[] = [];
  /** Whether any agent has ever been stale. */
  wasStale = false;
  readonly #commits: Disposable;

  constructor(bus: MemoryBus, servers: readonly ScriptedServer[], settings: Partial<UpstreamOptions> = {}) {
    this.#commits = bus.subscribe((change) => {
      this.store.commit(change);
      this.removed.push(...this.reader.read(this.store, ALL).removedAgentIds);
      this.wasStale ||= [...this.store.agents.values()].some(({ stale }) => stale);
    });
    const [endpoint, ...replicas] = servers.map((server) => server.endpoint);
    if (endpoint === undefined) throw new Error('no server');
    this.registry = new UpstreamRegistry(
      [{ ...serverConfig('s', []), endpoint, replicas, timeoutMs: 1_000, ...settings }],
      {
        store: this.store,
        bus,
        demand: new Demand(),
        clock: systemClock,
        logger: silentLogger,
        random: () => 0.5,
        heartbeatMs: 1_000,
        removeAfterMs: 60_000,
        maxAgentsPerServer: 10_000,
        connect: connectTo(servers),
        ownership: this.ownership,
      },
    );
  }

  get ids(): string[] {
    return [...this.reader.agents.keys()].sort();
  }

  get changes(): HealthChange[] {
    return this.store.events.since(0).events.filter((event) => event.type === 'health');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registry[Symbol.asyncDispose]();
    this.#commits[Symbol.dispose]();
  }
}

const ALL = createView();

/** Creates two nodes that are both configured with the same server. */
function createTwoNodes(replicas = 1, settings: Partial<UpstreamOptions> = {}) {
  const bus = new MemoryBus();
  const servers = scripted(replicas);
  let ids = ['a', 'b'];
  for (const server of servers) listing(server, () => ids);
  const nodes = [new Node(bus, servers, settings), new Node(bus, servers, settings)] as const;
  const [server] = servers;
  if (server === undefined) throw new Error('one');
  return {
    first: nodes[0],
    second: nodes[1],
    server,
    servers,
    list: (...changed: string[]) => (ids = changed),
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node[Symbol.asyncDispose]();
    },
  };
}

function expectChain(changes: readonly HealthChange[]): void {
  let [status, circuit]: [string, string] = ['CONNECTING', 'CLOSED'];
  for (const change of changes) {
    expect([change.previousStatus, change.previousCircuitState]).toEqual([status, circuit]);
    expect([change.status, change.circuitState]).not.toEqual([status, circuit]);
    [status, circuit] = [change.status, change.circuitState];
  }
}

describe('UpstreamRegistry on a node that does not own the server', () => {
  test('does not connect, shows the agents that the owner publishes and forwards calls to the owner', async () => {
    await using cluster = createTwoNodes();
    const { first, second, server } = cluster;
    first.ownership.gain();
    second.ownership.settle();
    await pass(5_000);
    expect(server.attempts).toBe(1);
    expect(second.ids).toEqual(['s:a', 's:b']);
    await second.registry.ready();
    expect(second.registry.discoveredAt).not.toBeNull();
    expect(await second.registry.pollNow(['s'])).toEqual({ answered: ['s'], unanswered: [] });
    const called = await second.registry.callTool('s', 'x', {}, new AbortController().signal, {
      clientId: 'client',
      permissions: ['tools:call'],
      restriction: UNRESTRICTED,
    });
    expect(called.content).toBe('from the other node');
    await expect(second.registry.pollNow(['unknown'])).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  test('keeps the agents of the owner when the server is removed here', async () => {
    await using cluster = createTwoNodes();
    const { first, second } = cluster;
    first.ownership.gain();
    second.ownership.settle();
    await pass(500);
    await second.registry.remove('s');
    expect(second.ownership.releases).toBe(1);
    expect(first.ids).toEqual(['s:a', 's:b']);
    expect(second.ids).toEqual(['s:a', 's:b']);
  });
});

describe('UpstreamRegistry at a change of the owner', () => {
  test('keeps agents and status until the new owner reports its first changes', async () => {
    await using cluster = createTwoNodes();
    const { first, second, server } = cluster;
    first.ownership.gain();
    await pass(500);
    const connectedAt = first.store.servers.get('s')?.connectedAt;
    await first.ownership.claimed?.onReleased();
    // The new owner takes 20 s to connect.
    let open: () => void = () => undefined;
    server.gate = new Promise((resolve) => (open = resolve));
    second.ownership.gain();
    await pass(20_000);
    expect(second.store.servers.get('s')).toMatchObject({ status: 'ONLINE', stale: false, connectedAt });
    cluster.list('b', 'c');
    open();
    await pass(500);
    for (const node of [first, second]) {
      expect(node.ids).toEqual(['s:b', 's:c']);
      expect(node.removed).toEqual(['s:a']);
      expect(node.wasStale).toBe(false);
      expectChain(node.changes);
      expect(node.changes).toHaveLength(1);
    }
    expect(server.attempts).toBe(2);
    await pass(10_000);
    expect(server.attempts).toBe(2);
  });

  test('discards an answer that the previous owner receives after the release', async () => {
    await using cluster = createTwoNodes();
    const { first, second, server } = cluster;
    first.ownership.gain();
    await pass(500);
    let answer: () => void = () => undefined;
    const late = [{ id: 'late', name: 'late', agent_type: 'coder', status: 'running', capabilities: [] }];
    server.onCall = () =>
      new Promise((resolve) => (answer = () => resolve({ isError: false, value: { agents: late, total_count: 1 } })));
    await pass(1_000);
    const released = first.ownership.claimed?.onReleased();
    answer();
    await pass(0);
    await released;
    for (const node of [first, second]) expect(node.ids).toEqual(['s:a', 's:b']);
  });

  test('marks agents as stale when the new owner gets no answer, and removes them after `removeAfterMs`', async () => {
    await using cluster = createTwoNodes();
    const { first, second, server } = cluster;
    first.ownership.gain();
    await pass(500);
    await first.ownership.claimed?.onReleased();
    server.onCall = hang;
    second.ownership.gain();
    await pass(500);
    expect(second.wasStale).toBe(false);
    await pass(1_000);
    expect(second.wasStale).toBe(true);
    expect(second.ids).toEqual(['s:a', 's:b']);
    expectChain(second.changes);
    await pass(61_000);
    expect(second.ids).toEqual([]);
  });

  test('removes the agents of an offline server on time after several changes of the owner', async () => {
    await using cluster = createTwoNodes();
    const { first, second, server } = cluster;
    first.ownership.gain();
    await pass(500);
    server.onCall = hang;
    await pass(3_000);
    const staleSince = first.store.servers.get('s')?.staleSince;
    expect(staleSince).not.toBeNull();
    for (const [from, to] of [
      [first, second],
      [second, first],
      [first, second],
    ] as const) {
      await from.ownership.claimed?.onReleased();
      to.ownership.gain();
      await pass(15_000);
    }
    expect(second.ids).toEqual(['s:a', 's:b']);
    expect(second.store.servers.get('s')?.staleSince).toBe(staleSince);
    await pass(14_000);
    expect(second.ids).toEqual([]);
    expectChain(second.changes);
  });

  test('starts with a closed breaker on the new owner and publishes the change', async () => {
    await using cluster = createTwoNodes(1, { breaker: { failures: 2, initialMs: 60_000, maxMs: 60_000 } });
    const { first, second, server } = cluster;
    first.ownership.gain();
    await pass(500);
    server.onCall = hang;
    await pass(10_000);
    expect(first.changes.at(-1)?.circuitState).toBe('OPEN');
    await first.ownership.claimed?.onReleased();
    listing(server, () => ['a', 'b']);
    second.ownership.gain();
    await pass(500);
    expect(second.changes.slice(-2).map(({ status, circuitState }) => [status, circuitState])).toEqual([
      ['OFFLINE', 'CLOSED'],
      ['ONLINE', 'CLOSED'],
    ]);
    expectChain(second.changes);
  });

  test('publishes a gapless sequence of health changes for each replica across both owners', async () => {
    await using cluster = createTwoNodes(2, { sticky: false });
    const { first, second, servers } = cluster;
    first.ownership.gain();
    await pass(500);
    const [, spare] = servers;
    if (spare === undefined) throw new Error('two');
    spare.refuses = 'ECONNREFUSED';
    spare.session?.end(killed());
    await pass(3_000);
    await first.ownership.claimed?.onReleased();
    second.ownership.gain();
    await pass(3_000);
    spare.refuses = null;
    await pass(30_000);
    expect(second.wasStale).toBe(false);
    const last = new Map<string | null, string>();
    for (const { replicaId, previousStatus, status } of second.changes) {
      expect(previousStatus).toBe(last.get(replicaId) ?? 'CONNECTING');
      last.set(replicaId, status);
    }
    expect([...last.values()]).toEqual(['ONLINE', 'ONLINE', 'ONLINE']);
  });
});

describe('UpstreamRegistry.remove', () => {
  test('removes the agents before it releases the server to other nodes', async () => {
    await using cluster = createTwoNodes();
    const { first, second } = cluster;
    first.ownership.gain();
    await pass(500);
    let releasesAtRemoval = -1;
    using _watch = first.store.onCommit(({ serverRemoved }) => {
      if (serverRemoved) releasesAtRemoval = first.ownership.releases;
    });
    await first.registry.remove('s');
    expect(releasesAtRemoval).toBe(0);
    expect(first.ownership.releases).toBe(1);
    expect(second.ids).toEqual([]);
    expect(second.store.servers.size).toBe(0);
    // A node whose configuration still contains the server polls it again.
    second.ownership.gain();
    await pass(500);
    expect(second.ids).toEqual(['s:a', 's:b']);
  });
});
