import {
  type Agent,
  type AgentMessage,
  type AgentTopologyPosition,
  globalId,
  inferEdges,
  type McpServer,
  type ReportedAgent,
  type ReportedMessage,
  type ReportedSession,
  type ReportedTask,
  type ServerReport,
  type Swarm,
  type SwarmSession,
  type Task,
  parseTopologyKind,
  type TopologyEdge,
} from '../../model/index.js';
import type { ServerSnapshot } from '../../state/index.js';

/** Maximum number of edges of a server for each agent that it may have. Meshes beyond it are left to their topology. */
const MAX_EDGES_PER_AGENT = 2;

/** Maximum number of agents of a task, of tasks that it depends on, and of recipients of a message. */
const MAX_REFERENCES = 100;

/** Returns the report without agents, swarms and tasks beyond the maximum number of each. */
export function limitReport(report: ServerReport, maxAgents: number): ServerReport {
  const { agents, swarms, tasks = [] } = report;
  if ([agents, swarms, tasks].every(({ length }) => length <= maxAgents)) return report;
  const message = `More than ${maxAgents} agents, swarms or tasks in all lists together ("limits.maxAgentsPerServer")`;
  return {
    ...report,
    agents: agents.slice(0, maxAgents),
    swarms: swarms.slice(0, maxAgents),
    tasks: tasks.slice(0, maxAgents),
    omissions: [...(report.omissions ?? []), { tool: 'report', message }],
  };
}

/**
 * Builds the snapshot of a server from a report: global ids, edges, topology positions and tasks.
 * @param maxAgents Maximum number of agents of the server, which also limits its edges.
 */
export function buildServerSnapshot(
  server: McpServer,
  report: ServerReport,
  seenAt: string,
  previous: ServerSnapshot | null,
  maxAgents: number,
): ServerSnapshot {
  const swarms = report.swarms.map(({ session, ...swarm }) => {
    const kind = swarm.topologyName === null ? null : parseTopologyKind(swarm.topologyName);
    const id = globalId(server.id, swarm.nativeId);
    return {
      ...swarm,
      id,
      serverId: server.id,
      topology: kind,
      ...(session === undefined ? {} : { session: toSwarmSession(server.id, session) }),
    } satisfies Swarm;
  });
  const edges = buildEdges(server.id, swarms, report, MAX_EDGES_PER_AGENT * maxAgents);
  const positions = derivePositions(edges);
  const lastSeen = new Map(previous?.agents.map((agent) => [agent.id, agent.lastSeenAt]));
  const agents = report.agents.map((reported) => {
    const id = globalId(server.id, reported.nativeId);
    return toAgent(server, reported, {
      id,
      position: positionWithRole(positions.get(id), reported.role),
      lastSeenAt: reported.stale ? (lastSeen.get(id) ?? seenAt) : seenAt,
    });
  });
  return { server, agents, swarms, edges, tasks: toTasks(server.id, report.tasks ?? NO_TASKS) };
}

function toSwarmSession(serverId: string, { agentNativeId, processKey, directoryKey }: ReportedSession): SwarmSession {
  return { agentId: globalId(serverId, agentNativeId), processKey, directoryKey };
}

/** Returns a reported message with global ids. */
export function toAgentMessage(serverId: string, reported: ReportedMessage): AgentMessage {
  const { nativeId, serverType, swarmNativeId, fromNativeId, toNativeIds, sentAt, text } = reported;
  return {
    type: 'message',
    id: globalId(serverId, nativeId),
    serverId,
    serverType,
    swarmId: globalIdOrNull(serverId, swarmNativeId),
    fromAgentId: globalIdOrNull(serverId, fromNativeId),
    toAgentIds: globalIds(serverId, toNativeIds),
    sentAt,
    text,
  };
}

/** Returns the first failure or omission of a report as an error message. Null if the report is complete. */
export function firstProblem({ failures, omissions = [] }: ServerReport): string | null {
  const first = failures[0] ?? omissions[0];
  return first === undefined ? null : `${first.tool}: ${first.message}`;
}

const NO_TASKS: readonly ReportedTask[] = [];

/** Tasks of each reported list, because most reports repeat the list of the report before. */
const converted = new WeakMap<
  readonly ReportedTask[],
  { readonly serverId: string; readonly tasks: readonly Task[] }
>();

/** Returns the tasks with global ids. Of tasks with the same id, the first is kept. */
function toTasks(serverId: string, reported: readonly ReportedTask[]): readonly Task[] {
  const known = converted.get(reported);
  if (known?.serverId === serverId) return known.tasks;
  const byId = new Map<string, Task>();
  for (const task of reported) if (!byId.has(task.nativeId)) byId.set(task.nativeId, toTask(serverId, task));
  const tasks = [...byId.values()];
  converted.set(reported, { serverId, tasks });
  return tasks;
}

function toTask(serverId: string, reported: ReportedTask): Task {
  const { nativeId, serverType, swarmNativeId, title, status, createdAt, startedAt, endedAt, stale } = reported;
  return {
    id: globalId(serverId, nativeId),
    nativeId,
    serverId,
    serverType,
    swarmId: globalIdOrNull(serverId, swarmNativeId),
    title,
    status,
    agentIds: globalIds(serverId, reported.agentNativeIds),
    dependsOnIds: globalIds(serverId, reported.dependsOnNativeIds),
    createdAt,
    startedAt,
    endedAt,
    stale,
  };
}

function globalIdOrNull(serverId: string, nativeId: string | null): string | null {
  return nativeId === null ? null : globalId(serverId, nativeId);
}

/** Returns the global ids without duplicates, up to the maximum number. */
function globalIds(serverId: string, nativeIds: readonly string[]): readonly string[] {
  return [...new Set(nativeIds)].slice(0, MAX_REFERENCES).map((nativeId) => globalId(serverId, nativeId));
}

function toAgent(
  server: McpServer,
  reported: ReportedAgent,
  derived: { id: string; position: AgentTopologyPosition | null; lastSeenAt: string },
): Agent {
  return {
    id: derived.id,
    nativeId: reported.nativeId,
    serverId: server.id,
    serverType: reported.serverType,
    swarmId: globalIdOrNull(server.id, reported.swarmNativeId),
    parentId: toParentId(server.id, reported),
    name: reported.name,
    title: reported.title,
    workspace: reported.workspace,
    type: reported.type,
    status: reported.status,
    capabilities: reported.capabilities,
    model: reported.model,
    currentTaskId: globalIdOrNull(server.id, reported.currentTaskNativeId),
    activity: reported.activity,
    usage: reported.usage,
    context: reported.context,
    performance: reported.performance,
    neural: reported.neural,
    topology: derived.position,
    stale: reported.stale,
    simulated: server.simulated,
    createdAt: reported.createdAt,
    lastActiveAt: reported.lastActiveAt,
    lastSeenAt: derived.lastSeenAt,
  };
}

/** Returns the id of the parent. Null if there is none, or if the server reports an agent as its own parent. */
function toParentId(serverId: string, { nativeId, parentNativeId }: ReportedAgent): string | null {
  return globalIdOrNull(serverId, parentNativeId === nativeId ? null : parentNativeId);
}

function buildEdges(
  serverId: string,
  swarms: readonly Swarm[],
  report: ServerReport,
  maxEdges: number,
): TopologyEdge[] {
  const edges = new Map<string, TopologyEdge>();
  const add = (swarm: { id: string }, from: string, to: string, relation: string, inferred: boolean): void => {
    const id = `${swarm.id}|${from}|${to}`;
    const reverse = `${swarm.id}|${to}|${from}`;
    // Reported edges are added first. An inferred edge never replaces a reported one.
    if (from === to || edges.size >= maxEdges || edges.has(id) || (inferred && edges.has(reverse))) return;
    edges.set(id, {
      id,
      serverId,
      swarmId: swarm.id,
      from: globalId(serverId, from),
      to: globalId(serverId, to),
      relation,
      inferred,
    });
  };
  const present = new Set(report.agents.map((agent) => agent.nativeId));
  for (const edge of report.edges) {
    if (present.has(edge.fromNativeId) && present.has(edge.toNativeId)) {
      add({ id: globalId(serverId, edge.swarmNativeId) }, edge.fromNativeId, edge.toNativeId, edge.relation, false);
    }
  }
  const membersBySwarm = groupBySwarm(report.agents);
  for (const swarm of swarms) {
    if (swarm.topology === null || edges.size >= maxEdges) continue;
    const members = membersBySwarm.get(swarm.nativeId) ?? [];
    const hub = members.find((agent) => HUB_ROLES.has(agent.role ?? agent.type))?.nativeId ?? null;
    const ids = members.map((agent) => agent.nativeId);
    for (const { from, to, relation } of inferEdges(swarm.topology, ids, hub)) add(swarm, from, to, relation, true);
  }
  return [...edges.values()];
}

function groupBySwarm(agents: readonly ReportedAgent[]): ReadonlyMap<string, readonly ReportedAgent[]> {
  const groups = new Map<string, ReportedAgent[]>();
  for (const agent of agents) {
    if (agent.swarmNativeId === null) continue;
    const group = groups.get(agent.swarmNativeId);
    if (group === undefined) groups.set(agent.swarmNativeId, [agent]);
    else group.push(agent);
  }
  return groups;
}

/** Roles and types of the agent at the center of a star or at the top of a hierarchy. */
const HUB_ROLES: ReadonlySet<string> = new Set(['queen', 'coordinator']);

function derivePositions(edges: readonly TopologyEdge[]): Map<string, AgentTopologyPosition> {
  const positions = new Map<string, AgentTopologyPosition>();
  const countEdge = (id: string, inferred: boolean): AgentTopologyPosition => {
    const previous = positions.get(id);
    const position: AgentTopologyPosition =
      previous === undefined
        ? { role: null, parentId: null, depth: null, degree: 1, inferred }
        : { ...previous, degree: previous.degree + 1, inferred: previous.inferred && inferred };
    positions.set(id, position);
    return position;
  };
  for (const edge of edges) {
    const from = countEdge(edge.from, edge.inferred);
    const to = countEdge(edge.to, edge.inferred);
    if (edge.relation !== 'leads') continue;
    positions.set(edge.from, { ...from, role: from.role ?? 'leader', depth: from.depth ?? 0 });
    positions.set(edge.to, { ...to, role: to.role ?? 'member', parentId: edge.from, depth: 1 });
  }
  return positions;
}

function positionWithRole(
  position: AgentTopologyPosition | undefined,
  role: string | null,
): AgentTopologyPosition | null {
  if (position !== undefined) return role === null ? position : { ...position, role };
  return role === null ? null : { role, parentId: null, depth: null, degree: 0, inferred: false };
}
