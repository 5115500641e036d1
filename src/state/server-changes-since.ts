import { type McpServer, parseServerId, type SwarmlensEvent } from '../model/index.js';
import { emptyDelta, type ServerDelta, type ServerSnapshot } from './server-delta.js';
import type { RevisionedMap } from './revisioned-map.js';
import { type MergePatch, patchSince } from './agent-patch.js';
import type { Store } from './store.js';
import { createView } from './view.js';

/** Position of a reader that follows all changes of one server. */
export interface ServerCursor {
  /** Revision of the store. -1 before the first read. */
  readonly revision: number;
  /** Position in the ring of events. */
  readonly events: number;
  /** Position in the ring of messages. */
  readonly messages: number;
}

export type ServerChanges = {
  /** Position of the reader after it has applied the changes. */
  readonly cursor: ServerCursor;
  /** Number of events since the cursor that are no longer kept. Includes events of other servers, because dropped events are counted only. */
  readonly missedEvents: number;
} & (
  | {
      /** Sent if the cursor is too old: the reader needs the snapshot, and this object holds only the events. */
      readonly kind: 'SNAPSHOT';
      readonly events: readonly SwarmlensEvent[];
    }
  | {
      readonly kind: 'DELTA';
      /** Delta for the snapshot at the cursor, or at any later revision. */
      readonly delta: ServerDelta;
      /** Patch of each agent in `delta` that existed at the cursor, by agent id. */
      readonly patches: ReadonlyMap<string, MergePatch>;
    }
);

/**
 * Returns the changes of one server since the cursor, with the newest value of each item once. Does for the bus what
 * `changesSince` does for clients. Its cost grows with the changes of all servers since the cursor.
 */
export function serverChangesSince(store: Store, serverId: string, since: ServerCursor): ServerChanges {
  const found = store.events.since(since.events);
  const messages = store.messages.since(since.messages);
  const events = [...found.events, ...messages.events].filter((event) => event.serverId === serverId);
  const common = {
    cursor: { revision: store.revision, events: found.end, messages: messages.end },
    missedEvents: found.missed + messages.missed,
  };
  if (since.revision < store.horizon || since.revision < 0) return { ...common, kind: 'SNAPSHOT', events };
  const patches = new Map<string, MergePatch>();
  const agents = changed(store.agents, serverId, since.revision);
  for (const record of store.agents.changedSince(since.revision)) {
    const { id, value, fieldRevisions } = record;
    if (value === null || parseServerId(id) !== serverId) continue;
    const { exact, keys } = record.keysAt(since.revision);
    if (!exact || keys.length === 0) continue;
    const patch = patchSince(value, fieldRevisions, FULL_VIEW, since.revision);
    // `lastSeenAt` of an agent that is not stale follows from the server's.
    patches.set(id, value.stale ? { ...patch, lastSeenAt: value.lastSeenAt } : patch);
  }
  const swarms = changed(store.swarms, serverId, since.revision);
  const edges = changed(store.edges, serverId, since.revision);
  const tasks = changed(store.tasks, serverId, since.revision);
  return {
    ...common,
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
      tasks: tasks.values,
      removedTaskIds: tasks.removedIds,
      events,
    },
  };
}

/** Returns the current snapshot of one server. Null if the server is unknown. */
export function serverSnapshot(store: Store, serverId: string): ServerSnapshot | null {
  const server = store.servers.get(serverId);
  if (server === undefined) return null;
  return {
    server,
    agents: store.agentsOfServer(serverId),
    swarms: store.swarmsOfServer(serverId),
    edges: store.edgesOfServer(serverId),
    tasks: store.tasksOfServer(serverId),
  };
}

const FULL_VIEW = createView();

function serverSince(
  store: Store,
  serverId: string,
  revision: number,
): { server: McpServer | null; serverRemoved: boolean } {
  const record = store.servers.record(serverId);
  if (record === undefined || record.revision <= revision) return { server: null, serverRemoved: false };
  return { server: record.value, serverRemoved: record.value === null };
}

/** Returns values and removals in the order of their change. Items that came and went are removals, for readers in between. */
function changed<V, K>(
  map: RevisionedMap<V, K>,
  serverId: string,
  revision: number,
): { readonly values: readonly V[]; readonly removedIds: readonly string[] } {
  const values: V[] = [];
  const removedIds: string[] = [];
  for (const record of map.changedSince(revision)) {
    if (parseServerId(record.id) !== serverId) continue;
    if (record.value !== null) values.push(record.value);
    else removedIds.push(record.id);
  }
  return { values: values.reverse(), removedIds: removedIds.reverse() };
}
