import { sleep, systemClock } from '../../src/shared/index.js';
import { waitUntil } from '../support/wait.js';
import type { Fleet } from './fleet.js';
import type { FleetNode } from './fleet-node.js';

export interface FleetFault {
  readonly name: string;
  /** It needs nodes that are processes. */
  readonly needsProcesses: boolean;
  /** Of the time that it takes, how much is asked for. */
  readonly hurt: (fleet: Fleet, forMs: number) => Promise<void>;
  /** The servers stand still by then. Whatever is not mended by itself is mended. */
  readonly mend: (fleet: Fleet) => Promise<void>;
}

const NEVER = new AbortController().signal;
const NOTHING = (): Promise<void> => Promise.resolve();

const BLIND_MS = 500;
/** More than a node waits for an answer of Redis. */
const LONG_DELAY_MS = 1_500;

export const REDIS_STOPPED: FleetFault = {
  name: 'Redis is stopped (SIGSTOP) and goes on',
  needsProcesses: false,
  hurt: async ({ redis }, forMs) => {
    redis.pause();
    await sleep(systemClock, forMs, NEVER);
  },
  mend: async ({ redis }) => redis.resume(),
};

export const REDIS_KILLED: FleetFault = {
  name: 'Redis is killed and comes back empty',
  needsProcesses: false,
  hurt: async ({ redis }, forMs) => {
    await redis.kill();
    await sleep(systemClock, forMs, NEVER);
  },
  mend: ({ redis }) => redis.restart(),
};

export const CONNECTION_DROPPED: FleetFault = {
  name: "one node's connections are dropped (CLIENT KILL)",
  needsProcesses: false,
  hurt: async (fleet) => {
    for (const node of fleet.nodes.slice(0, 1)) await dropConnections(fleet, node);
  },
  mend: NOTHING,
};

export const LINE_SLOW: FleetFault = {
  name: "one node's messages are late, by more than it waits for an answer",
  needsProcesses: false,
  hurt: async ({ nodes: [node] }, forMs) => {
    if (node !== undefined) node.line.delayMs = LONG_DELAY_MS;
    await sleep(systemClock, forMs, NEVER);
  },
  mend: async ({ nodes: [node] }) => {
    if (node !== undefined) node.line.delayMs = 0;
  },
};

export const LINE_CUT: FleetFault = {
  name: 'one node cannot reach Redis, and goes on polling what another has taken over',
  needsProcesses: false,
  hurt: async (fleet, forMs) => {
    const [server] = fleet.servers;
    if (server === undefined) return;
    const before = fleet.pollerOf(server);
    const from = server.callers.length;
    before.line.cut();
    await sleep(systemClock, forMs, NEVER);
    await waitUntil(() => server.callers.slice(from).some((name) => name !== before.name), {
      state: () => ({ cut: before.name, callers: server.callers.slice(-10) }),
    });
  },
  mend: async ({ nodes }) => {
    for (const { line } of nodes) line.mend();
  },
};

export const GARBAGE: FleetFault = {
  name: 'garbage, another version and an old message come over the channels',
  needsProcesses: false,
  hurt: async ({ redis, servers }, forMs) => {
    const old = await Promise.all(servers.map(({ id }) => nextMessage(redis, channelOf(id))));
    const untilMs = performance.now() + forMs;
    do {
      for (const [at, { id }] of servers.entries()) {
        const position = await redis.look.hget(`swarmlens:{${id}}:picture`, 'at');
        const [term = 1, seq = 1] = JSON.parse(position ?? '[]') as number[]; // as the bus writes it
        const removed = [1, term - 1, seq + 1_000, Date.now(), 'someone', { x: 1 }];
        const wrong = [1, term, seq + 1, Date.now(), 'someone', { p: [['nobody', { status: 7 }]] }];
        const other = [0, term, seq + 1, Date.now(), 'someone', {}];
        for (const message of ['garbage', '{"a":', old[at], removed, wrong, other]) {
          await redis.look.publish(channelOf(id), typeof message === 'string' ? message : JSON.stringify(message));
        }
      }
      await sleep(systemClock, 10, NEVER);
    } while (performance.now() < untilMs);
  },
  mend: NOTHING,
};

export const POLLER_KILLED: FleetFault = {
  name: 'the node that polls a server is killed (SIGKILL)',
  needsProcesses: true,
  hurt: async (fleet, forMs) => {
    const [server] = fleet.servers;
    if (server !== undefined) await fleet.kill(fleet.pollerOf(server));
    // Nobody sees what its server does meanwhile. The time until another takes over is what is to be known.
    await sleep(systemClock, Math.min(forMs, BLIND_MS), NEVER);
  },
  // Its clients come back elsewhere, with their cursors.
  mend: async (fleet) => {
    const homeless = fleet.clients.filter(({ node }) => !fleet.nodes.includes(node));
    await Promise.all(homeless.map((client, index) => client.join(fleet.nodes[index % fleet.nodes.length])));
  },
};

export const POLLER_STOPPED: FleetFault = {
  name: 'the node that polls a server is stopped (SIGSTOP) until another has taken over, and goes on',
  needsProcesses: true,
  hurt: async (fleet) => {
    const [server] = fleet.servers;
    if (server === undefined) return;
    const before = fleet.pollerOf(server);
    before.signal('SIGSTOP');
    await waitUntil(() => fleet.pollerOf(server) !== before, {
      state: () => ({ stopped: before.name, callers: server.callers.slice(-10) }),
    });
  },
  mend: async (fleet) => {
    for (const node of fleet.nodes) node.signal('SIGCONT');
  },
};

export const FLEET_FAULTS: readonly FleetFault[] = [
  REDIS_STOPPED,
  REDIS_KILLED,
  CONNECTION_DROPPED,
  LINE_SLOW,
  LINE_CUT,
  GARBAGE,
  POLLER_STOPPED,
  POLLER_KILLED,
];

/**
 * Lets a fault happen to a fleet that is whole, for so long.
 * @returns how long it took from its end until every client had the right picture again, milliseconds
 */
export async function endure(fleet: Fleet, { hurt, mend }: FleetFault, forMs: number): Promise<number> {
  await hurt(fleet, forMs);
  fleet.freeze();
  await mend(fleet);
  const healedMs = await fleet.isWhole();
  fleet.thaw();
  return healedMs;
}

async function dropConnections(fleet: Fleet, node: FleetNode): Promise<void> {
  const { look } = fleet.redis;
  const name = `name=${encodeURIComponent(`swarmlens:${await fleet.idOf(node)}`)}`;
  const clients = String(await look.client('LIST')).split('\n');
  const ids = clients.flatMap((line) => (line.includes(`${name} `) ? (/\bid=(\d+)/.exec(line)?.[1] ?? []) : []));
  if (ids.length < 2) throw new Error(`${node.name} has ${ids.length} connections`);
  for (const id of ids) await look.client('KILL', 'ID', id);
}

/** The next one that goes over a channel. */
async function nextMessage(redis: Fleet['redis'], channel: string): Promise<string> {
  const listener = redis.look.duplicate();
  try {
    await listener.subscribe(channel);
    return await new Promise((resolve) => listener.once('message', (_channel, message) => resolve(message)));
  } finally {
    listener.disconnect();
  }
}

function channelOf(serverId: string): string {
  return `swarmlens:{${serverId}}:changes`;
}
