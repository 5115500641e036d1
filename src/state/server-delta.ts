import type { Agent, McpServer, Swarm, SwarmlensEvent, Task, TopologyEdge } from '../model/index.js';

/** Complete state of one server at one revision. */
export interface ServerSnapshot {
  readonly server: McpServer;
  readonly agents: readonly Agent[];
  readonly swarms: readonly Swarm[];
  readonly edges: readonly TopologyEdge[];
  readonly tasks: readonly Task[];
}

/** Changes of one server. Values are absolute, so that applying a delta twice has no further effect. */
export interface ServerDelta {
  readonly serverId: string;
  /** Time at which the server last answered. May change alone. */
  readonly seenAt: string | null;
  /** Null if the server itself did not delta. */
  readonly server: McpServer | null;
  /** Whether the server was removed, with everything that belongs to it. */
  readonly serverRemoved: boolean;
  readonly agents: readonly Agent[];
  readonly removedAgentIds: readonly string[];
  readonly swarms: readonly Swarm[];
  readonly removedSwarmIds: readonly string[];
  readonly edges: readonly TopologyEdge[];
  readonly removedEdgeIds: readonly string[];
  readonly tasks: readonly Task[];
  readonly removedTaskIds: readonly string[];
  readonly events: readonly SwarmlensEvent[];
  /** Time of publication in milliseconds since the epoch, by the Redis clock. Null if the delta did not come from Redis. */
  readonly publishedAtMs: number | null;
}

export function emptyDelta(serverId: string): ServerDelta {
  return {
    serverId,
    seenAt: null,
    server: null,
    serverRemoved: false,
    agents: [],
    removedAgentIds: [],
    swarms: [],
    removedSwarmIds: [],
    edges: [],
    removedEdgeIds: [],
    tasks: [],
    removedTaskIds: [],
    events: [],
    publishedAtMs: null,
  };
}

/** Returns whether a commit of the delta creates a revision. */
export function hasStateChanges(delta: ServerDelta): boolean {
  return (
    delta.server !== null ||
    delta.serverRemoved ||
    delta.agents.length > 0 ||
    delta.removedAgentIds.length > 0 ||
    delta.swarms.length > 0 ||
    delta.removedSwarmIds.length > 0 ||
    delta.edges.length > 0 ||
    delta.removedEdgeIds.length > 0 ||
    delta.tasks.length > 0 ||
    delta.removedTaskIds.length > 0
  );
}

/** Returns the last known snapshot of a server that does not answer, marked as stale. */
export function toStaleSnapshot(snapshot: ServerSnapshot, server: McpServer, seenAt: string | null): ServerSnapshot {
  return {
    server,
    agents: snapshot.agents.map((agent) =>
      agent.stale ? agent : { ...agent, stale: true, lastSeenAt: seenAt ?? agent.lastSeenAt },
    ),
    swarms: snapshot.swarms.map((swarm) => ({ ...swarm, stale: true })),
    edges: snapshot.edges,
    tasks: snapshot.tasks.map((task) => (task.stale ? task : { ...task, stale: true })),
  };
}
