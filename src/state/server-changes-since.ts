import { type McpServer, parseServerId, type SwarmlensEvent } from '../model/index.js';
import { emptyDelta, type ServerDelta, type ServerSnapshot } from './server-delta.js';
import type { RevisionedMap } from './revisioned-map.js';
import { type MergePatch, patchSince } from './agent-patch.js';
import type { Store } from './store.js';
import { createView } from './view.js';

/** Where somebody stands who is told all of one server. */
export interface ServerCursor {
  /** Of the store; -1: knows nothing. */
  readonly revision: number;
  /** Of the store's events. */
  readonly events: number;
}

export type ServerChanges = {
  /** Where the reader stands once it has been told. */
  readonly cursor: ServerCursor;
  /** Events of the server since the cursor that are no longer kept. Those of other servers count: nobody knows whose they were. */
  readonly missedEvents: number;
} & (
  | {
      /** The reader stands too far back, or nowhere: it needs the picture, of which this holds only the events. */
      readonly kind: 'WHOLE';
      readonly events: readonly SwarmlensEvent[];
    }
  | {
      readonly kind: 'DELTA';
      /** To be applied to the picture at the cursor, or at any revision since. */
      readonly delta: ServerDelta;
      /** Of each agent in `change` that was there at the cursor: what changed of it. */
      readonly patches: ReadonlyMap<string, MergePatch>;
    }
);

/**
 * What has become of one server since the cursor, the newest value of each thing, once. The same for whoever carries
 * the picture elsewhere as `changesSince` is for clients; it costs what has changed of all servers since.
 */
export function serverChangesSince(store: Store, serverId: string, since: ServerCursor): ServerChanges {
  const { events: all, missed: missedEvents, end } = store.events.since(since.events);
  const events = all.filter((event) => event.serverId === serverId);
  const told = { cursor: { revision: store.revision, events: end }, missedEvents };
  if (since.revision < store.horizon || since.revision < 0) return { ...told, kind: 'WHOLE', events };
  const patches = new Map<string, MergePatch>();
  const agents = changed(store.agents, serverId, since.revision);
  for (const record of store.agents.changedSince(since.revision)) {
    const { id, value, fieldRevisions } = record;
    if (value === null || parseServerId(id) !== serverId) continue;
    const { exact, keys } = record.keysAt(since.revision);
    if (!exact || keys.length === 0) continue;
    const patch = patchSince(value, fieldRevisions, EVERYTHING, since.revision);
    // Of an agent that is not stale it follows from its server's.
    patches.set(id, value.stale ? { ...patch, lastSeenAt: value.lastSeenAt } : patch);
  }
  const swarms = changed(store.swarms, serverId, since.revision);
  const edges = changed(store.edges, serverId, since.revision);
  return {
    ...told,
    kind: 'DELTA',
    patches,
    delta: {
      ...emptyDelta(serverId),
      seenAt: store.serverLastSeenAt(serverId),
      ...serverSince(store, serverId, since.revision),
      agents: agents.values,
      removedAgentIds: agents.removedIds,
      swarms: swarms.values,
      removedSwarmIds: swarms.removedIds,
      edges: edges.values,
      removedEdgeIds: edges.removedIds,
      events,
    },
  };
}

/** All of one server as it is now; `null`: there is no such server. */
export function serverSnapshot(store: Store, serverId: string): ServerSnapshot | null {
  const server = store.servers.get(serverId);
  if (server === undefined) return null;
  return {
    server,
    agents: [...store.agents.values()].filter((agent) => agent.serverId === serverId),
    swarms: [...store.swarms.values()].filter((swarm) => swarm.serverId === serverId),
    edges: [...store.edges.values()].filter((edge) => edge.serverId === serverId),
  };
}

const EVERYTHING = createView();

function serverSince(
  store: Store,
  serverId: string,
  revision: number,
): { server: McpServer | null; serverRemoved: boolean } {
  const record = store.servers.record(serverId);
  if (record === undefined || record.revision <= revision) return { server: null, serverRemoved: false };
  return { server: record.value, serverRemoved: record.value === null };
}

/** In the order in which they changed. What came and went since is told as gone: who stands between has it. */
function changed<V, K>(
  ledger: RevisionedMap<V, K>,
  serverId: string,
  revision: number,
): { readonly values: readonly V[]; readonly removedIds: readonly string[] } {
  const values: V[] = [];
  const removedIds: string[] = [];
  for (const record of ledger.changedSince(revision)) {
    if (parseServerId(record.id) !== serverId) continue;
    if (record.value !== null) values.push(record.value);
    else removedIds.push(record.id);
  }
  return { values: values.reverse(), removedIds: removedIds.reverse() };
}
