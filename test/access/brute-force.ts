import type { McpServer, Restriction, ServerReport, SwarmlensEvent } from '../../src/model/index.js';
import type { Said } from './generated-states.js';

/**
 * What a restriction leaves of what a server says, filtered before anything is made of it: so what is not seen cannot
 * have left a trace. `null`: nothing.
 */
export function saidTo(restriction: Restriction, said: Said): Said | null {
  const { server, report } = said;
  if (!isServerSeen(restriction, server)) return null;
  const { agentTypes, performance, neural } = restriction;
  const idOf = (nativeId: string): string => `${server.id}:${nativeId}`;
  const isSwarmSeen = (nativeId: string): boolean => {
    const swarm = report.swarms.find((one) => one.nativeId === nativeId);
    return (
      isIn(restriction.swarmIds, idOf(nativeId)) &&
      (swarm === undefined || isIn(restriction.serverTypes, swarm.serverType))
    );
  };
  const agents = report.agents
    .filter(
      ({ type, serverType, swarmNativeId }) =>
        isIn(agentTypes, type) &&
        isIn(restriction.serverTypes, serverType) &&
        (restriction.swarmIds === null || (swarmNativeId !== null && isIn(restriction.swarmIds, idOf(swarmNativeId)))),
    )
    .map((agent) => ({
      ...agent,
      performance: performance ? agent.performance : null,
      neural: neural ? agent.neural : null,
      swarmNativeId: agent.swarmNativeId !== null && isSwarmSeen(agent.swarmNativeId) ? agent.swarmNativeId : null,
    }));
  const swarms = report.swarms.filter(({ nativeId }) => isSwarmSeen(nativeId));
  const counts =
    agentTypes === null && performance ? {} : { tasksTotal: null, tasksActive: null, tasksCompleted: null };
  const seen: ServerReport = {
    agents,
    swarms: swarms.map((swarm) => ({ ...swarm, ...counts })),
    edges: report.edges.filter(({ swarmNativeId }) => isSwarmSeen(swarmNativeId)),
    failures: report.failures,
  };
  return {
    server: isPartSeen(restriction, server) ? { ...server, lastError: null } : server,
    report: seen,
    events: said.events.flatMap((event) => eventTo(restriction, event, server)),
  };
}

export function isServerSeen(restriction: Restriction, { id, agentServerTypes }: McpServer): boolean {
  return (
    isIn(restriction.serverIds, id) &&
    agentServerTypes.some((family) => isIn(restriction.serverTypes, family)) &&
    restriction.agentTypes?.length !== 0 &&
    (restriction.swarmIds === null || restriction.swarmIds.some((swarmId) => swarmId.startsWith(`${id}:`)))
  );
}

/** Whether there can be agents on it that are not seen. */
export function isPartSeen(
  { serverTypes, agentTypes, swarmIds }: Restriction,
  { agentServerTypes }: McpServer,
): boolean {
  return agentTypes !== null || swarmIds !== null || agentServerTypes.some((family) => !isIn(serverTypes, family));
}

/** @param server that is seen, before the event or after it; `null`: none is */
export function eventTo(
  restriction: Restriction,
  event: SwarmlensEvent,
  server: McpServer | null,
): readonly SwarmlensEvent[] {
  if (event.serverId === null) return areAllServersSeen(restriction) ? [event] : [];
  if (server === null) return [];
  if (!isPartSeen(restriction, server)) return [event];
  if (event.type === 'health') return [{ ...event, reason: null }];
  if (!['SERVER_OFFLINE', 'TOOL_FAILING'].includes(event.code)) return [];
  const message = `${server.id}: ${event.code}. Details are visible to viewers who can see all agents of the server.`;
  return [{ ...event, message }];
}

export function areAllServersSeen({ serverIds, serverTypes, swarmIds, agentTypes }: Restriction): boolean {
  return [serverIds, serverTypes, swarmIds].every((list) => list === null) && agentTypes?.length !== 0;
}

function isIn(allowed: readonly string[] | null, value: string): boolean {
  return allowed?.includes(value) ?? true;
}
