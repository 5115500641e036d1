import type { Fleet } from './fleet.js';
import { FleetClient } from './fleet-client.js';
import { waitUntil } from '../../support/wait.js';

/** Steps after the death of a node, in milliseconds since the kill. */
export interface Takeover {
  /** A client of another node sees the servers of the killed node as stale. */
  readonly staleMs: number;
  /** Another node has called the server. */
  readonly calledMs: number;
  /** The client sees no server as stale any more. */
  readonly freshMs: number;
}

/** Kills the node that polls the first server, and watches the takeover through a client of another node. */
export async function killOwner(fleet: Fleet): Promise<Takeover> {
  const [server] = fleet.servers;
  if (server === undefined) throw new Error('there is no server');
  const owner = fleet.pollerOf(server);
  const survivor = fleet.nodes.find((node) => node !== owner);
  if (survivor === undefined) throw new Error('there is no other node');
  await using client = new FleetClient(survivor);
  await client.join();
  await client.until(() => client.stale.length === 0);
  const from = server.callers.length;
  const startMs = performance.now();
  const sinceKill = (): number => performance.now() - startMs;
  const isCalled = (): boolean => server.callers.slice(from).some((name) => name !== owner.name);
  const called = waitUntil(isCalled, {
    state: () => ({ killed: owner.name, callers: server.callers.slice(from) }),
    intervalMs: 1,
  }).then(sinceKill);
  const killed = fleet.kill(owner);
  await client.until(() => client.stale.includes(server.id));
  const staleMs = sinceKill();
  const calledMs = await called;
  await client.until(() => client.stale.length === 0);
  const freshMs = sinceKill();
  await killed;
  return { staleMs, calledMs, freshMs };
}
