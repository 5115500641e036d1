import type { Agent, McpServer, Swarm, SwarmlensEvent, TopologyEdge } from '../model/index.js';

/** All of one server at one moment. */
export interface ServerSnapshot {
  readonly server: McpServer;
  readonly agents: readonly Agent[];
  readonly swarms: readonly Swarm[];
  readonly edges: readonly TopologyEdge[];
}

/** What one step changed of one server. Values are absolute, so applying it twice does no harm. */
export interface ServerDelta {
  readonly serverId: string;
  /** When the server last answered; moves without anything else having changed. */
  readonly seenAt: string | null;
  /** The server itself, if it changed. */
  readonly server: McpServer | null;
  /** The server was taken out of the configuration; everything of it goes. */
  readonly serverRemoved: boolean;
  readonly agents: readonly Agent[];
  readonly removedAgentIds: readonly string[];
  readonly swarms: readonly Swarm[];
  readonly removedSwarmIds: readonly string[];
  readonly edges: readonly TopologyEdge[];
  readonly removedEdgeIds: readonly string[];
  readonly events: readonly SwarmlensEvent[];
  /** By the clock of Redis, milliseconds since the epoch; `null`: it did not come from there. */
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
    events: [],
    publishedAtMs: null,
  };
}

/** Whether applying it would give the picture a new revision. */
export function hasStateChanges(change: ServerDelta): boolean {
  return (
    change.server !== null ||
    change.serverRemoved ||
    change.agents.length > 0 ||
    change.removedAgentIds.length > 0 ||
    change.swarms.length > 0 ||
    change.removedSwarmIds.length > 0 ||
    change.edges.length > 0 ||
    change.removedEdgeIds.length > 0
  );
}

/** The last known picture of a server that does not answer. */
export function toStaleSnapshot(picture: ServerSnapshot, server: McpServer, seenAt: string | null): ServerSnapshot {
  return {
    server,
    agents: picture.agents.map((agent) =>
      agent.stale ? agent : { ...agent, stale: true, lastSeenAt: seenAt ?? agent.lastSeenAt },
    ),
    swarms: picture.swarms.map((swarm) => ({ ...swarm, stale: true })),
    edges: picture.edges,
  };
}
