import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { LIST_TOOLS } from '../faults/own-lists.js';
import { AGENT_FIELDS, request } from '../support/app.js';
import { withoutNulls } from '../support/reader.js';
import { RedisServer } from '../support/redis-server.js';
import { HANG_MS, waitUntil } from '../support/wait.js';
import { CountedServer, NODE_HEADER } from './counted-server.js';
import { FleetClient } from './fleet-client.js';
import { type FleetNode, startNode } from './fleet-node.js';
import { Line } from './line.js';

export interface FleetOptions {
  readonly nodes?: number;
  /** Each node in a process of its own: it can be killed then. */
  readonly areProcesses?: boolean;
  readonly leaseMs?: number;
  /** Of each server. */
  readonly agents?: number;
  /** Steps of each server in a second. */
  readonly hz?: number;
}

const KINDS = ['ruv-swarm', 'claude-flow', 'daa'] as const;
type Agents = readonly Readonly<Record<string, unknown>>[];

/** Nodes of one swarmlens on a Redis of their own, over three simulated servers that any of them could watch. */
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

  /** Resolves when each node watches its share, and shows all servers. */
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

  /** One more node, which listens. */
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
      leaseMs,
      heartbeatMs: 250,
      maxBufferedBytes: 16_384,
      // A client that does not read stays for the whole test.
      maxSlowMs: 3_600_000,
      logLevel: areProcesses ? 'error' : 'silent',
    };
    // The test is one viewer, who asks as fast as it can.
    const limits = { maxRequestsPerSecond: 100_000 };
    await writeFile(
      configFile,
      JSON.stringify({ mcpServers: Object.fromEntries(entries), swarmlens: { ...options, limits } }),
    );
    const node = await startNode(name, { configFile, line, isProcess: areProcesses });
    this.nodes.push(node);
    return node;
  }

  /** Ends a node without a word. */
  async kill(node: FleetNode): Promise<void> {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    for (const client of this.clients) if (client.node === node) client.expectCut();
    await node.kill();
    await node.line[Symbol.asyncDispose]();
  }

  /** So many more clients, one node after the other; resolves when each has its first update. */
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

  /** The node that has called a server last. */
  pollerOf({ callers }: CountedServer): FleetNode {
    const found = this.nodes.find(({ name }) => name === callers.at(-1));
    if (found === undefined) throw new Error(`no node of ${this.nodes.map(({ name }) => name).join()} has called last`);
    return found;
  }

  /** The id that a node has in Redis: that of the holder of the server which it polls. */
  async idOf(node: FleetNode): Promise<string> {
    const server = this.servers.find(({ callers }) => callers.at(-1) === node.name);
    if (server === undefined) throw new Error(`${node.name} polls nothing`);
    const lease = await this.redis.look.get(`swarmlens:{${server.id}}:lease`);
    if (lease === null) throw new Error(`${server.id} has no lease`);
    return lease.split(' ')[0] ?? '';
  }

  /** Resolves when each server has been polled by one node alone for so many calls, and no node has more than its share. */
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

  /** Lets each server be called so many times more. @returns by which nodes, of each server */
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
   * Resolves when every client has what the servers, which stand still, say themselves, and nothing as stale.
   * @returns how long that took from now, milliseconds
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
   * What is not as it should be, all fields of all agents compared, while the servers stand still: nothing, it is hoped.
   * What they did last may still be under way, so it is looked until a wait would count as a hang.
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
        found.push(`${this.nodes[at + 1]?.name ?? ''} answers otherwise than the first node`);
    }
    for (const { node, picture } of this.clients) {
      if (!isDeepStrictEqual(sorted(picture.whole.values()), first))
        found.push(`a client of ${node.name} has other agents`);
      else if (!isDeepStrictEqual(withoutNulls(sorted(picture.patched.values())), withoutNulls(first))) {
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
