import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { LIST_TOOLS } from '../../faults/own-lists.js';
import { AGENT_FIELDS, request } from '../../support/app.js';
import { withoutNulls } from '../../support/contract-client.js';
import { RedisServer } from '../../support/redis-server.js';
import { HANG_MS, waitUntil } from '../../support/wait.js';
import { CountedServer, NODE_HEADER } from '../counted-server.js';
import { FleetClient } from './fleet-client.js';
import { type FleetNode, startNode } from './fleet-node.js';
import { Line } from '../slow-network.js';
import { BUS_KEY } from '../test-node.js';

export interface FleetOptions {
  readonly nodes?: number;
  /** Whether each node runs in a process of its own, which can be killed. */
  readonly areProcesses?: boolean;
  /** Null for the default of the program. */
  readonly leaseMs?: number | null;
  /** Number of agents of each server. */
  readonly agents?: number;
  /** Steps of each server per second. */
  readonly hz?: number;
}

const KINDS = ['ruv-swarm', 'claude-flow', 'daa'] as const;
type Agents = readonly Readonly<Record<string, unknown>>[];

/** Cluster with its own Redis and three simulated servers that each node can own. */
export class Fleet implements AsyncDisposable {
  readonly redis: RedisServer;
  readonly servers: readonly CountedServer[];
  readonly nodes: FleetNode[] = [];
  readonly clients: FleetClient[] = [];
  readonly #options: Required<FleetOptions>;
  readonly #folder: string;
  #started = 0;

  private constructor(
    redis: RedisServer,
    servers: readonly CountedServer[],
    folder: string,
    options: Required<FleetOptions>,
  ) {
    this.redis = redis;
    this.servers = servers;
    this.#folder = folder;
    this.#options = options;
  }

  /** Resolves when each node owns its share and shows all servers. */
  static async start(options: FleetOptions = {}): Promise<Fleet> {
    const { nodes = 3, areProcesses = false, leaseMs = 3_000, agents = 8, hz = 5 } = options;
    const redis = await RedisServer.start();
    const servers = await Promise.all(KINDS.map((type) => CountedServer.start(type, { type, agents, hz })));
    const folder = await mkdtemp(join(tmpdir(), 'swarmlens-fleet-'));
    const fleet = new Fleet(redis, servers, folder, { nodes, areProcesses, leaseMs, agents, hz });
    await Promise.all(Array.from({ length: nodes }, () => fleet.add()));
    await fleet.isSpread();
    return fleet;
  }

  /** Adds a node that listens. */
  async add(): Promise<FleetNode> {
    this.#started += 1;
    const name = `node${this.#started}`;
    const line = await Line.open(this.redis.port);
    const configFile = join(this.#folder, `${name}.json`);
    const { leaseMs, areProcesses } = this.#options;
    const entries = this.servers.map(({ id, type, url }) => {
      const own = { maxPollShare: 1, allowTools: LIST_TOOLS[type], timeoutMs: 60_000, connectTimeoutMs: 120_000 };
      return [id, { type: 'http', url, headers: { [NODE_HEADER]: name }, swarmlens: own }] as const;
    });
    const options = {
      bus: line.url,
      busKeys: [BUS_KEY],
      ...(leaseMs !== null && { leaseMs }),
      heartbeatMs: 250,
      maxBufferedBytes: 16_384,
      // A client that does not read stays for the whole test.
      maxSlowMs: 3_600_000,
      logLevel: areProcesses ? 'error' : 'silent',
    };
    // The test is a single viewer that sends requests as fast as possible.
    const limits = { maxRequestsPerSecond: 100_000 };
    await writeFile(
      configFile,
      JSON.stringify({ mcpServers: Object.fromEntries(entries), swarmlens: { ...options, limits } }),
    );
    const node = await startNode(name, { configFile, line, isProcess: areProcesses });
    this.nodes.push(node);
    return node;
  }

  /** Kills the process of a node. */
  async kill(node: FleetNode): Promise<void> {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    for (const client of this.clients) if (client.node === node) client.expectCut();
    await node.kill();
    await node.line[Symbol.asyncDispose]();
  }

  /** Connects clients to the nodes in turn. Resolves when each client has received its first update. */
  async join(count: number, mode?: string): Promise<readonly FleetClient[]> {
    const joined = Array.from({ length: count }, (_, index) => {
      const node = this.nodes[index % this.nodes.length];
      if (node === undefined) throw new Error('there is no node');
      return new FleetClient(node, mode);
    });
    this.clients.push(...joined);
    await Promise.all(joined.map((client) => client.join()));
    return joined;
  }

  /** Returns the node that made the last call to a server. */
  pollerOf({ callers }: CountedServer): FleetNode {
    const found = this.nodes.find(({ name }) => name === callers.at(-1));
    if (found === undefined) throw new Error(`the last caller is none of ${this.nodes.map(({ name }) => name).join()}`);
    return found;
  }

  /** Returns the id of a node in Redis, taken from the lease of the server that it polls. */
  async idOf(node: FleetNode): Promise<string> {
    const server = this.servers.find(({ callers }) => callers.at(-1) === node.name);
    if (server === undefined) throw new Error(`${node.name} polls nothing`);
    const lease = await this.redis.look.get(`swarmlens:{${server.id}}:lease`);
    if (lease === null) throw new Error(`${server.id} has no lease`);
    return lease.split(' ').at(-2) ?? '';
  }

  /** Resolves when each server has received so many calls from one node only, and no node has more than its share. */
  async isSpread(calls = 4): Promise<void> {
    const share = Math.ceil(this.servers.length / this.nodes.length);
    let polled: readonly (readonly string[])[] = [];
    const isSpread = async (): Promise<boolean> => {
      polled = await this.polledBy(calls);
      const counts = this.nodes.map(
        ({ name }) => polled.filter((names) => names.length === 1 && names[0] === name).length,
      );
      return Math.max(...counts) <= share && counts.reduce((sum, count) => sum + count) === this.servers.length;
    };
    await waitUntil(isSpread, { state: () => ({ share, nodes: this.nodes.map(({ name }) => name), polled }) });
  }

  /** Waits until each server has received so many more calls. @returns the calling nodes of each server */
  async polledBy(calls: number): Promise<readonly (readonly string[])[]> {
    const from = this.servers.map(({ callers }) => callers.length);
    const later = (): readonly string[][] => this.servers.map(({ callers }, at) => callers.slice(from[at]));
    await waitUntil(() => later().every(({ length }) => length >= calls), { state: later });
    return later().map((names) => [...new Set(names)]);
  }

  freeze(): void {
    for (const server of this.servers) server.freeze();
  }

  thaw(): void {
    for (const server of this.servers) server.thaw();
  }

  /**
   * Resolves when every client has the agents that the frozen servers list, none of them stale.
   * @returns the elapsed time in milliseconds
   */
  async isWhole(clients: readonly FleetClient[] = this.clients): Promise<number> {
    const startMs = performance.now();
    const own = (await Promise.all(this.servers.map((server) => server.ownList()))).flat().toSorted();
    for (const client of clients) {
      await client.until(() => client.stale.length === 0 && isDeepStrictEqual(client.list, own));
    }
    return performance.now() - startMs;
  }

  /**
   * Compares all fields of all agents between nodes and clients while the servers are frozen. Repeats the comparison for a
   * while, because the last changes may still be in flight.
   * @returns the differences
   */
  async differences(): Promise<readonly string[]> {
    let found = await this.#differences();
    const startMs = performance.now();
    while (found.length > 0 && performance.now() - startMs < HANG_MS) {
      await this.polledBy(1);
      found = await this.#differences();
    }
    const cuts = this.clients.reduce((sum, client) => sum + client.cuts, 0);
    if (cuts > 0) console.log(`${cuts} connections of clients were cut`);
    return found;
  }

  async #differences(): Promise<readonly string[]> {
    const found: string[] = this.clients.flatMap(({ problems, node }) => problems.map((one) => `${node.name}: ${one}`));
    const [first, ...others] = await Promise.all(this.nodes.map((node) => freshAgents(node)));
    if (first === undefined) return ['there is no node'];
    for (const [at, other] of others.entries()) {
      if (!isDeepStrictEqual(other, first))
        found.push(`${this.nodes[at + 1]?.name ?? ''} returns other agents than the first node`);
    }
    for (const { node, state } of this.clients) {
      if (!isDeepStrictEqual(sorted(state.whole.values()), first))
        found.push(`a client of ${node.name} has other agents`);
      else if (!isDeepStrictEqual(withoutNulls(sorted(state.patched.values())), withoutNulls(first))) {
        found.push(`a client of ${node.name} has other agents by patches`);
      }
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.clients.map((client) => client[Symbol.asyncDispose]()));
    await Promise.all(this.nodes.map((node) => node[Symbol.asyncDispose]()));
    await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
    await this.redis[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function freshAgents(node: FleetNode): Promise<Agents> {
  const { data, errors } = await request(node, `{ agents { ${AGENT_FIELDS} } }`);
  if (data == null) throw new Error(JSON.stringify(errors));
  return sorted(data['agents'] as Agents); // as selected
}

function sorted(all: Iterable<Readonly<Record<string, unknown>>>): Agents {
  return [...all].toSorted((a, b) => (String(a['id']) < String(b['id']) ? -1 : 1));
}
