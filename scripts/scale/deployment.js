// How many nodes, relays and Redis threads so many subscribers take, and what goes through them.
import { simulate } from './run.js';

/** What is not measured. */
export const ASSUMED = {
  /** MCP servers, each like the measured one. Every node follows them all; a subscriber is shown the agents of one. */
  servers: 10,
  changesPerSecond: 10,
  /** Nothing is planned to be busier than that: of a core, of a network. */
  maxShare: 0.6,
  /** A node is one process on one core. */
  nodeBitsPerSecond: 2.5e9,
  /** The default of `maxConnections`. */
  maxClients: 10_000,
  /** Between two machines, one way. */
  hopMs: 0.25,
  /** That a relay may take to pass one message on to all it tells. */
  maxRelayMs: 10,
};

/** Each way to carry that is worth a look for so many: the simplest one, and if that does not keep up, the others. */
export function describe(constants, load) {
  const plain = Deployment.plain(constants, load).row();
  if (plain.redisShare <= ASSUMED.maxShare) return [plain];
  return [plain, Deployment.sharded(constants, load).row(), Deployment.relayed(constants, load).row()];
}

export class Deployment {
  #constants;
  #load;
  #carriedBy;
  #size;
  #relays = 0;
  #redisThreads = 1;
  /** Nodes that one relay tells; levels of relays. */
  #fanOut = 0;
  #levels = 0;

  constructor(constants, load, carriedBy) {
    this.#constants = constants;
    this.#load = load;
    this.#carriedBy = carriedBy;
    this.#size = sizeOf(constants, load);
  }

  /** All nodes subscribe to one Redis. */
  static plain(constants, load) {
    return new Deployment(constants, load, 'pub/sub of one Redis');
  }

  /** The channels are spread over the threads of a cluster (SPUBLISH): a channel is in one of them, and each node asks all of them. */
  static sharded(constants, load) {
    const made = new Deployment(constants, load, 'sharded pub/sub');
    const { nodes } = made.#size;
    while (made.#redisThreads < ASSUMED.servers && made.#redisLoad(nodes) > ASSUMED.maxShare) made.#redisThreads += 1;
    return made;
  }

  /** Few nodes subscribe to Redis, and others to these, as clients do. */
  static relayed(constants, load) {
    const made = new Deployment(constants, load, 'relay tree, one Redis');
    const { deliverMicros, followMicros, nodeIdleMicrosPerSecond } = constants;
    const free = ASSUMED.maxShare * 1e6 - nodeIdleMicrosPerSecond - changes(load) * followMicros;
    const most = Math.min(free / changes(load), ASSUMED.maxRelayMs * 1e3) / deliverMicros;
    made.#fanOut = Math.max(2, Math.floor(most));
    let tellers = made.#size.nodes;
    while (made.#redisLoad(tellers) > ASSUMED.maxShare && tellers > 1) {
      tellers = Math.ceil(tellers / made.#fanOut);
      made.#relays += tellers;
      made.#levels += 1;
    }
    made.#readers = tellers;
    return made;
  }

  /** The most that one Redis thread can serve. */
  static limitOfPlain(constants, hz) {
    const { redisHandOutMicros, redisNodeMicrosPerSecond } = constants;
    const load = { subscribers: 1, hz };
    const ofANode = changes(load) * redisHandOutMicros + redisNodeMicrosPerSecond;
    const nodes = Math.max(
      0,
      Math.floor((ASSUMED.maxShare * 1e6 - changes(load) * constants.redisChangeMicros) / ofANode),
    );
    return {
      nodes,
      messages: nodes * changes(load),
      subscribers: nodes * sizeOf(constants, { ...load, subscribers: 1e9 }).clients,
    };
  }

  /** Who reads from Redis itself; all nodes unless there are relays. */
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
      carriedBy: this.#carriedBy,
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

  /** Of one thread: its part of the messages; every reader asks it whether it is there. */
  #redisLoad(readers) {
    const { redisChangeMicros, redisHandOutMicros, redisNodeMicrosPerSecond } = this.#constants;
    const ofMessages = (changes(this.#load) / this.#redisThreads) * (redisChangeMicros + readers * redisHandOutMicros);
    return (ofMessages + readers * redisNodeMicrosPerSecond) / 1e6;
  }
}

/** Messages a second: a server is polled no more often than anybody wants to know. */
function changes({ hz }) {
  return ASSUMED.servers * Math.min(hz, ASSUMED.changesPerSecond);
}

function nodeLoad({ deliverMicros, followMicros, nodeIdleMicrosPerSecond }, load, clients) {
  return (nodeIdleMicrosPerSecond + changes(load) * followMicros + clients * load.hz * deliverMicros) / 1e6;
}

/** As few nodes as there can be. */
function sizeOf(constants, load) {
  const free = ASSUMED.maxShare - nodeLoad(constants, load, 0);
  if (free <= 0) throw new Error('one node cannot follow all servers: measure on a quiet machine, or assume fewer');
  const limits = [
    { limitedBy: 'CPU', clients: (free * 1e6) / (load.hz * constants.deliverMicros) },
    {
      limitedBy: 'network',
      clients: (ASSUMED.maxShare * ASSUMED.nodeBitsPerSecond) / (load.hz * constants.updateBytes * 8),
    },
    { limitedBy: 'connections', clients: ASSUMED.maxClients },
  ];
  const least = limits.reduce((one, other) => (other.clients < one.clients ? other : one));
  const nodes = Math.ceil(load.subscribers / Math.floor(least.clients));
  return { nodes, clients: Math.ceil(load.subscribers / nodes), limitedBy: least.limitedBy };
}
