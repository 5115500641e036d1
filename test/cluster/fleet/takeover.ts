import { waitUntil } from '../../support/wait.js';
import type { Fleet } from './fleet.js';
import { FleetClient } from './fleet-client.js';
import type { FleetNode } from './fleet-node.js';

/** Steps after the failure of a node, in milliseconds since then. */
export interface Takeover {
  /** A client of another node saw the server as stale. Null if it was taken over before the next update of the client. */
  readonly staleMs: number | null;
  /** Another node called the server. */
  readonly calledMs: number;
  /** The client received an update after that call, and no server was stale. */
  readonly freshMs: number;
}

/** Lets the node fail that polls the first server, and watches the takeover through a client of another node. */
export async function failOwner(fleet: Fleet, fail: (owner: FleetNode) => unknown): Promise<Takeover> {
  const [server] = fleet.servers;
  if (server === undefined) throw new Error('there is no server');
  const owner = fleet.pollerOf(server);
  const survivor = fleet.nodes.find((node) => node !== owner);
  if (survivor === undefined) throw new Error('there is no other node');
  await using client = new FleetClient(survivor, 'HIGH_FREQUENCY');
  await client.join();
  await client.until(() => client.stale.length === 0);
  const from = server.callers.length;
  const startMs = performance.now();
  const sinceFailure = (): number => performance.now() - startMs;
  let staleMs: number | null = null;
  let updatesBefore = Infinity;
  const watched = client.until(() => {
    if (client.stale.includes(server.id)) staleMs ??= sinceFailure();
    return client.updates > updatesBefore && client.stale.length === 0;
  });
  const failed = fail(owner);
  await waitUntil(() => server.callers.slice(from).some((name) => name !== owner.name), {
    state: () => ({ failed: owner.name, callers: server.callers.slice(from) }),
    intervalMs: 1,
  });
  const calledMs = sinceFailure();
  updatesBefore = client.updates;
  await watched;
  const freshMs = sinceFailure();
  await failed;
  return { staleMs, calledMs, freshMs };
}
