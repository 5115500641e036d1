import type { McpServer } from '../domain/index.js';
import type { ServerSnapshot } from './change.js';

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
