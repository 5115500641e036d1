// Sizes deployments: computes the nodes, relays and Redis threads for a number of subscribers, and their load.
import { simulate } from './run.js';

/** Assumptions that are not measured. */
export const ASSUMED = {
  /** Number of MCP servers like the measured one. Every node follows all of them; a subscriber receives the agents of one. */
  servers: 10,
  changesPerSecond: 10,
  /** Largest planned utilization of a core or a network, 0 to 1. */
  maxShare: 0.6,
  /** Network bandwidth of a node in bits per second. A node is one process on one core. */
  nodeBitsPerSecond: 2.5e9,
  /** Largest number of clients per node: the default of `maxConnections`. */
  maxClients: 10_000,
  /** Network latency between two machines in milliseconds, one way. */
  hopMs: 0.25,
  /** Longest time in milliseconds in which a relay passes a message to all its followers. */
  maxRelayMs: 10,
};

/** Returns one row per distribution: the simplest one, and the others only if it is overloaded. */
export function describe(constants, load) {
  const plain = Deployment.plain(constants, load).row();
  if (plain.redisShare <= ASSUMED.maxShare) return [plain];
  return [plain, Deployment.sharded(constants, load).row(), Deployment.relayed(constants, load).row()];
}

export class Deployment {
  #constants;
  #load;
  #distribution;
  #size;
  #relays = 0;
  #redisThreads = 1;
  /** Number of followers per relay. */
  #fanOut = 0;
  /** Number of relay levels. */
  #levels = 0;

  constructor(constants, load, distribution) {
    this.#constants = constants;
    this.#load = load;
    this.#distribution = distribution;
    this.#size = computeSize(constants, load);
  }

  /** Creates a deployment in which all nodes subscribe to one Redis. */
  static plain(constants, load) {
    return new Deployment(constants, load, 'pub/sub of one Redis');
  }

  /** Creates a deployment with sharded pub/sub (SPUBLISH): each channel belongs to one thread, and each node is connected to all threads. */
  static sharded(constants, load) {
    const deployment = new Deployment(constants, load, 'sharded pub/sub');
    const { nodes } = deployment.#size;
    while (deployment.#redisThreads < ASSUMED.servers && deployment.#redisLoad(nodes) > ASSUMED.maxShare)
      deployment.#redisThreads += 1;
    return deployment;
  }

  /** Creates a deployment with a relay tree: a few nodes subscribe to Redis, and the others follow these nodes. */
  static relayed(constants, load) {
    const deployment = new Deployment(constants, load, 'relay tree, one Redis');
    const { deliverMicros, followMicros, nodeIdleMicrosPerSecond } = constants;
    const free = ASSUMED.maxShare * 1e6 - nodeIdleMicrosPerSecond - changes(load) * followMicros;
    const maxFanOut = Math.min(free / changes(load), ASSUMED.maxRelayMs * 1e3) / deliverMicros;
    deployment.#fanOut = Math.max(2, Math.floor(maxFanOut));
    let followers = deployment.#size.nodes;
    while (deployment.#redisLoad(followers) > ASSUMED.maxShare && followers > 1) {
      followers = Math.ceil(followers / deployment.#fanOut);
      deployment.#relays += followers;
      deployment.#levels += 1;
    }
    deployment.#readers = followers;
    return deployment;
  }

  /** Returns the largest load that one Redis thread can serve. */
  static limitOfPlain(constants, hz) {
    const { redisHandOutMicros, redisNodeMicrosPerSecond } = constants;
    const load = { subscribers: 1, hz };
    const microsPerNode = changes(load) * redisHandOutMicros + redisNodeMicrosPerSecond;
    const nodes = Math.max(
      0,
      Math.floor((ASSUMED.maxShare * 1e6 - changes(load) * constants.redisChangeMicros) / microsPerNode),
    );
    return {
      nodes,
      messages: nodes * changes(load),
      subscribers: nodes * computeSize(constants, { ...load, subscribers: 1e9 }).clients,
    };
  }

  /** Number of nodes that read from Redis. Null if all nodes do, because there are no relays. */
  #readers = null;

  row() {
    const { subscribers } = this.#load;
    const { nodes, clients, limitedBy } = this.#size;
    const { updateBytes, messageBytes, clientBytes, nodeBytes } = this.#constants;
    const readers = this.#readers ?? nodes;
    const redisShare = this.#redisLoad(readers);
    const nodeShare = nodeLoad(this.#constants, this.#load, clients);
    const run =
      redisShare < 1
        ? simulate({
            constants: this.#constants,
            clients,
            hz: this.#load.hz,
            changesPerSecond: changes(this.#load),
            readers,
            redisThreads: this.#redisThreads,
            levels: this.#levels,
            fanOut: this.#fanOut,
            hopMs: ASSUMED.hopMs,
          })
        : { p50Ms: null, p99Ms: null };
    return {
      subscribers,
      distribution: this.#distribution,
      nodes,
      clients,
      limitedBy,
      relays: this.#relays,
      redisThreads: this.#redisThreads,
      redisShare,
      nodeShare,
      nodeBytes: nodeBytes + clients * clientBytes,
      nodeBitsPerSecond: clients * this.#load.hz * updateBytes * 8,
      redisBitsPerSecond: changes(this.#load) * readers * messageBytes * 8,
      ...run,
    };
  }

  /** Returns the utilization of one Redis thread: its share of the messages, and the heartbeats of all readers. */
  #redisLoad(readers) {
    const { redisChangeMicros, redisHandOutMicros, redisNodeMicrosPerSecond } = this.#constants;
    const messageMicros =
      (changes(this.#load) / this.#redisThreads) * (redisChangeMicros + readers * redisHandOutMicros);
    return (messageMicros + readers * redisNodeMicrosPerSecond) / 1e6;
  }
}

/** Returns the number of messages per second. A server is not polled faster than its subscribers demand. */
function changes({ hz }) {
  return ASSUMED.servers * Math.min(hz, ASSUMED.changesPerSecond);
}

function nodeLoad({ deliverMicros, followMicros, nodeIdleMicrosPerSecond }, load, clients) {
  return (nodeIdleMicrosPerSecond + changes(load) * followMicros + clients * load.hz * deliverMicros) / 1e6;
}

/** Returns the smallest number of nodes that can serve the load. */
function computeSize(constants, load) {
  const free = ASSUMED.maxShare - nodeLoad(constants, load, 0);
  if (free <= 0)
    throw new Error('One node cannot follow all servers. Measure without other load, or assume fewer servers.');
  const limits = [
    { limitedBy: 'CPU', clients: (free * 1e6) / (load.hz * constants.deliverMicros) },
    {
      limitedBy: 'network',
      clients: (ASSUMED.maxShare * ASSUMED.nodeBitsPerSecond) / (load.hz * constants.updateBytes * 8),
    },
    { limitedBy: 'connections', clients: ASSUMED.maxClients },
  ];
  const tightest = limits.reduce((least, limit) => (limit.clients < least.clients ? limit : least));
  const nodes = Math.ceil(load.subscribers / Math.floor(tightest.clients));
  return { nodes, clients: Math.ceil(load.subscribers / nodes), limitedBy: tightest.limitedBy };
}
