import type {
  AgentMessage,
  McpServer,
  ReportedAgent,
  ReportedTask,
  Restriction,
  ServerReport,
  SwarmlensEvent,
} from '../../src/model/index.js';
import type { RawServerState } from './generated-states.js';

/**
 * Removes everything that a restriction hides from the raw state of a server, before anything is derived from it, so that
 * hidden items cannot close a trace. Returns null if the server is hidden.
 */
export function visibleState(restriction: Restriction, state: RawServerState): RawServerState | null {
  const { server, report } = state;
  if (!isServerVisible(restriction, server)) return null;
  const { agentTypes, performance, neural } = restriction;
  const toGlobalId = (nativeId: string): string => `${server.id}:${nativeId}`;
  const isSwarmVisible = (nativeId: string): boolean => {
    const swarm = report.swarms.find((candidate) => candidate.nativeId === nativeId);
    return (
      isIn(restriction.swarmIds, toGlobalId(nativeId)) &&
      (swarm === undefined || isIn(restriction.serverTypes, swarm.serverType))
    );
  };
  const matches = ({ type, serverType, swarmNativeId }: ReportedAgent): boolean =>
    isIn(agentTypes, type) &&
    isIn(restriction.serverTypes, serverType) &&
    (restriction.swarmIds === null ||
      (swarmNativeId !== null && isIn(restriction.swarmIds, toGlobalId(swarmNativeId))));
  const isAgentVisible = (nativeId: string): boolean => {
    const agent = report.agents.find((candidate) => candidate.nativeId === nativeId);
    return agent === undefined ? !isPartlyHidden(restriction, server) : matches(agent);
  };
  const reportedTasks = report.tasks ?? [];
  const isTaskVisible = ({ serverType, swarmNativeId, agentNativeIds }: ReportedTask): boolean => {
    if (!isIn(restriction.serverTypes, serverType)) return false;
    if (swarmNativeId !== null && !isIn(restriction.swarmIds, toGlobalId(swarmNativeId))) return false;
    const needsAgent = agentTypes !== null || (restriction.swarmIds !== null && swarmNativeId === null);
    return !needsAgent || agentNativeIds.some(isAgentVisible);
  };
  const taskOf = (nativeId: string): ReportedTask | undefined =>
    reportedTasks.find((candidate) => candidate.nativeId === nativeId);
  const isDependencyVisible = (nativeId: string): boolean => {
    const task = taskOf(nativeId);
    return task === undefined ? !isPartlyHidden(restriction, server) : isTaskVisible(task);
  };
  const visibleCurrentTask = (nativeId: string | null): string | null => {
    const task = nativeId === null ? undefined : taskOf(nativeId);
    return task === undefined || isTaskVisible(task) ? nativeId : null;
  };
  const agents = report.agents.filter(matches).map((agent) => ({
    ...agent,
    parentNativeId: agent.parentNativeId !== null && isAgentVisible(agent.parentNativeId) ? agent.parentNativeId : null,
    currentTaskNativeId: visibleCurrentTask(agent.currentTaskNativeId),
    usage: performance ? agent.usage : null,
    context: performance ? agent.context : null,
    performance: performance ? agent.performance : null,
    neural: neural ? agent.neural : null,
    swarmNativeId: agent.swarmNativeId !== null && isSwarmVisible(agent.swarmNativeId) ? agent.swarmNativeId : null,
  }));
  const swarms = report.swarms.filter(({ nativeId }) => isSwarmVisible(nativeId));
  const counts =
    agentTypes === null && performance ? {} : { tasksTotal: null, tasksActive: null, tasksCompleted: null };
  const visible: ServerReport = {
    agents,
    swarms: swarms.map((swarm) => ({ ...swarm, ...counts })),
    edges: report.edges.filter(({ swarmNativeId }) => isSwarmVisible(swarmNativeId)),
    tasks: reportedTasks.filter(isTaskVisible).map((task) => ({
      ...task,
      swarmNativeId: task.swarmNativeId !== null && isSwarmVisible(task.swarmNativeId) ? task.swarmNativeId : null,
      agentNativeIds: task.agentNativeIds.filter(isAgentVisible),
      dependsOnNativeIds: task.dependsOnNativeIds.filter(isDependencyVisible),
    })),
    failures: report.failures,
  };
  return {
    server: isPartlyHidden(restriction, server) ? { ...server, lastError: null } : server,
    report: visible,
    events: state.events.flatMap((event) => visibleEvents(restriction, event, server, state)),
  };
}

export function isServerVisible(restriction: Restriction, { id, agentServerTypes }: McpServer): boolean {
  return (
    isIn(restriction.serverIds, id) &&
    agentServerTypes.some((type) => isIn(restriction.serverTypes, type)) &&
    restriction.agentTypes?.length !== 0 &&
    (restriction.swarmIds === null || restriction.swarmIds.some((swarmId) => swarmId.startsWith(`${id}:`)))
  );
}

/** Whether the server may have hidden agents. */
export function isPartlyHidden(
  { serverTypes, agentTypes, swarmIds }: Restriction,
  { agentServerTypes }: McpServer,
): boolean {
  return agentTypes !== null || swarmIds !== null || agentServerTypes.some((type) => !isIn(serverTypes, type));
}

/**
 * Returns an event without hidden parts, or nothing if it is hidden.
 * @param server server of the event if it is visible before or after the event, otherwise null
 * @param state state of the server after the event. Undefined if it was removed
 */
export function visibleEvents(
  restriction: Restriction,
  event: SwarmlensEvent,
  server: McpServer | null,
  state: RawServerState | undefined,
): readonly SwarmlensEvent[] {
  if (event.type === 'message') return server === null ? [] : visibleMessages(restriction, event, server, state);
  if (event.serverId === null) return areAllServersVisible(restriction) ? [event] : [];
  if (server === null) return [];
  if (!isPartlyHidden(restriction, server)) return [event];
  if (event.type === 'health') return [{ ...event, reason: null }];
  if (!['SERVER_OFFLINE', 'TOOL_FAILING'].includes(event.code)) return [];
  const message = `${server.id}: ${event.code}. Details are visible to viewers who can see all agents of the server.`;
  return [{ ...event, message }];
}

function visibleMessages(
  restriction: Restriction,
  message: AgentMessage,
  server: McpServer,
  state: RawServerState | undefined,
): readonly AgentMessage[] {
  const { serverType, swarmId, fromAgentId, toAgentIds } = message;
  if (!isIn(restriction.serverTypes, serverType)) return [];
  const swarm = state?.report.swarms.find(({ nativeId }) => `${server.id}:${nativeId}` === swarmId);
  if (swarmId !== null && !isIn(restriction.swarmIds, swarmId)) return [];
  if (swarm !== undefined && !isIn(restriction.serverTypes, swarm.serverType)) return [];
  if (!isPartlyHidden(restriction, server)) return [message];
  const visible = state === undefined ? null : visibleState(restriction, { ...state, events: [] });
  const isVisible = (id: string): boolean =>
    visible?.report.agents.some(({ nativeId }) => `${server.id}:${nativeId}` === id) ?? false;
  if (fromAgentId !== null && !isVisible(fromAgentId)) return [];
  const recipients = toAgentIds.filter(isVisible);
  const hasVisibleEnd = recipients.length > 0 || (fromAgentId !== null && toAgentIds.length === 0);
  return hasVisibleEnd ? [{ ...message, toAgentIds: recipients }] : [];
}

export function areAllServersVisible({ serverIds, serverTypes, swarmIds, agentTypes }: Restriction): boolean {
  return [serverIds, serverTypes, swarmIds].every((list) => list === null) && agentTypes?.length !== 0;
}

function isIn(allowed: readonly string[] | null, value: string): boolean {
  return allowed?.includes(value) ?? true;
}
