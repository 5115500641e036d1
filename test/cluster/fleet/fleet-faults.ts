import { sleep, systemClock } from '../../../src/shared/index.js';
import { waitUntil } from '../../support/wait.js';
import type { Fleet } from './fleet.js';
import type { FleetNode } from './fleet-node.js';

export interface FleetFault {
  readonly name: string;
  /** Whether the nodes have to be processes of their own. */
  readonly needsProcesses: boolean;
  /** Injects the fault for about `forMs` milliseconds. */
  readonly inject: (fleet: Fleet, forMs: number) => Promise<void>;
  /** Ends the fault. The servers are frozen at this time. */
  readonly repair: (fleet: Fleet) => Promise<void>;
}

const NEVER = new AbortController().signal;
const NOTHING = (): Promise<void> => Promise.resolve();

const BLIND_MS = 500;
/** Delay in milliseconds that exceeds the timeout of commands to Redis. */
const LONG_DELAY_MS = 1_500;

export const REDIS_STOPPED: FleetFault = {
  name: 'a pause of Redis (SIGSTOP)',
  needsProcesses: false,
  inject: async ({ redis }, forMs) => {
    redis.pause();
    await sleep(systemClock, forMs, NEVER);
  },
  repair: async ({ redis }) => redis.resume(),
};

export const REDIS_KILLED: FleetFault = {
  name: 'a restart of Redis without its data',
  needsProcesses: false,
  inject: async ({ redis }, forMs) => {
    await redis.kill();
    await sleep(systemClock, forMs, NEVER);
  },
  repair: ({ redis }) => redis.restart(),
};

export const CONNECTION_DROPPED: FleetFault = {
  name: 'the loss of the connections of one node (CLIENT KILL)',
  needsProcesses: false,
  inject: async (fleet) => {
    for (const node of fleet.nodes.slice(0, 1)) await dropConnections(fleet, node);
  },
  repair: NOTHING,
};

export const LINE_SLOW: FleetFault = {
  name: 'messages to one node that are later than its command timeout',
  needsProcesses: false,
  inject: async ({ nodes: [node] }, forMs) => {
    if (node !== undefined) node.line.delayMs = LONG_DELAY_MS;
    await sleep(systemClock, forMs, NEVER);
  },
  repair: async ({ nodes: [node] }) => {
    if (node !== undefined) node.line.delayMs = 0;
  },
};

export const LINE_CUT: FleetFault = {
  name: 'a network partition of one node, which continues to poll the server that another node has taken over',
  needsProcesses: false,
  inject: async (fleet, forMs) => {
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
  repair: async ({ nodes }) => {
    for (const { line } of nodes) line.repair();
  },
};

export const GARBAGE: FleetFault = {
  name: 'garbage, forged, repeated and unknown messages on the channels',
  needsProcesses: false,
  inject: async ({ redis, servers }, forMs) => {
    const old = await Promise.all(servers.map(({ id }) => nextMessage(redis, channelOf(id))));
    const untilMs = performance.now() + forMs;
    do {
      for (const [at, { id }] of servers.entries()) {
        const position = await redis.look.hget(`swarmlens:{${id}}:snapshot`, 'at');
        const [token = 1, seq = 1] = JSON.parse(position ?? '[]') as number[]; // as the bus writes it
        const forged = `2 - someone ${Date.now()} 1 ${JSON.stringify([token, seq + 1, Date.now(), { x: 1 }])}`;
        const other = JSON.stringify([1, token, seq + 1, Date.now(), 'someone', { x: 1 }]);
        for (const message of ['garbage', '{"a":', old[at] ?? '', forged, other]) {
          await redis.look.publish(channelOf(id), message);
        }
      }
      await sleep(systemClock, 10, NEVER);
    } while (performance.now() < untilMs);
  },
  repair: NOTHING,
};

export const POLLER_KILLED: FleetFault = {
  name: 'the death of the node that polls a server (SIGKILL)',
  needsProcesses: true,
  inject: async (fleet, forMs) => {
    const [server] = fleet.servers;
    if (server !== undefined) await fleet.kill(fleet.pollerOf(server));
    // No node polls the server until the takeover, whose duration is measured after this short wait.
    await sleep(systemClock, Math.min(forMs, BLIND_MS), NEVER);
  },
  // The clients of the killed node resume on other nodes with their cursors.
  repair: async (fleet) => {
    const disconnected = fleet.clients.filter(({ node }) => !fleet.nodes.includes(node));
    await Promise.all(disconnected.map((client, index) => client.join(fleet.nodes[index % fleet.nodes.length])));
  },
};

export const POLLER_STOPPED: FleetFault = {
  name: 'a pause of the node that polls a server (SIGSTOP) until another node has taken over',
  needsProcesses: true,
  inject: async (fleet) => {
    const [server] = fleet.servers;
    if (server === undefined) return;
    const before = fleet.pollerOf(server);
    before.signal('SIGSTOP');
    await waitUntil(() => fleet.pollerOf(server) !== before, {
      state: () => ({ stopped: before.name, callers: server.callers.slice(-10) }),
    });
  },
  repair: async (fleet) => {
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
 * Injects a fault into a healthy fleet.
 * @returns the time in milliseconds from the end of the fault until every client had the correct agents again
 */
export async function endure(fleet: Fleet, { inject, repair }: FleetFault, forMs: number): Promise<number> {
  await inject(fleet, forMs);
  fleet.freeze();
  await repair(fleet);
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

/** Returns the next message on a channel. */
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
