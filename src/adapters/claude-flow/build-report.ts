import type { ReportedAgent, ReportedEdge, ReportedSwarm, ServerReport } from '../../model/index.js';
import { parseAgentStatus } from '../responses/agent-status.js';
import { createReportedAgent, createReportedSwarm, toNeural, toPerformance } from '../responses/report-builders.js';
import type { ClaudeFlowAgent } from './responses.js';
import type { ClaudeFlowState } from './state.js';

/**
 * Builds the report of a claude-flow server.
 * @param onDuplicate called for each DAA agent that is omitted because another agent has its id
 */
export function buildReport(state: ClaudeFlowState, onDuplicate: () => void): ServerReport {
  const { failures, omissions, limitation } = state;
  const agents = [...listedAgents(state), ...hiveAgents(state)];
  return {
    agents: [...agents, ...autonomousAgents(state, new Set(agents.map((agent) => agent.nativeId)), onDuplicate)],
    swarms: reportedSwarms(state),
    edges: reportedEdges(state),
    ...(state.tasks !== null && { tasks: state.tasks.report('CLAUDE_FLOW', state.tasksAreStale) }),
    failures,
    ...(omissions !== undefined && { omissions }),
    ...(limitation !== undefined && { limitation }),
  };
}

function listedAgents(state: ClaudeFlowState): ReportedAgent[] {
  const { hive } = state;
  const workers = new Set(hive?.workers.map((worker) => worker.id));
  const queen = hive?.queen?.nativeId ?? null;
  const members = swarmsByMember(state);
  return state.agents.map((agent) => {
    const role = agent.agentId === queen ? 'queen' : workers.has(agent.agentId) ? 'worker' : null;
    return createReportedAgent({
      nativeId: agent.agentId,
      serverType: 'CLAUDE_FLOW',
      swarmNativeId: role === null ? (agent.swarmId ?? members.get(agent.agentId) ?? null) : (hive?.nativeId ?? null),
      name: agent.name ?? agent.agentId,
      type: agent.agentType ?? 'unknown',
      status: parseAgentStatus(agent.status),
      capabilities: agent.capabilities,
      model: agent.model,
      currentTaskNativeId: agent.currentTask,
      performance: toPerformance({ healthScore: agent.health, ...taskCounts(state, agent.agentId, agent.taskCount) }),
      role,
      createdAt: agent.createdAt,
      lastActiveAt: agent.lastActive,
      stale: state.agentsAreStale,
    });
  });
}

/** Returns the native swarm ids by member. The newest swarm comes last and takes precedence. */
function swarmsByMember({ swarms, agents }: ClaudeFlowState): ReadonlyMap<string, string> {
  return new Map(
    swarms.flatMap((swarm) => {
      const members = swarm.agents ?? (swarm.totalSwarms === 1 ? agents.map(({ agentId }) => agentId) : []);
      return members.map((agentId) => [agentId, swarm.swarmId] as const);
    }),
  );
}

/** Returns the agents of the hive that are not in the agent list. Usually that is the queen. */
function hiveAgents(state: ClaudeFlowState): ReportedAgent[] {
  const { hive } = state;
  if (hive === null) return [];
  const listed = new Set(state.agents.map((agent) => agent.agentId));
  const common = {
    serverType: 'CLAUDE_FLOW',
    swarmNativeId: hive.nativeId,
    stale: state.hiveIsStale,
  } as const;
  const { queen } = hive;
  const agents: ReportedAgent[] = [];
  if (queen !== null && !listed.has(queen.nativeId)) {
    agents.push(
      createReportedAgent({
        ...common,
        nativeId: queen.nativeId,
        type: 'queen',
        status: parseAgentStatus(queen.status),
        performance: toPerformance(taskCounts(state, queen.nativeId, null)),
        role: 'queen',
      }),
    );
  }
  for (const worker of hive.workers) {
    if (listed.has(worker.id) || worker.id === queen?.nativeId) continue;
    // The server invents the type of a worker without a record.
    const hasRecord = worker.status !== 'unknown';
    agents.push(
      createReportedAgent({
        ...common,
        nativeId: worker.id,
        type: (hasRecord ? worker.type : null) ?? 'unknown',
        status: parseAgentStatus(worker.status),
        performance: toPerformance(taskCounts(state, worker.id, null)),
        role: 'worker',
      }),
    );
  }
  return agents;
}

/**
 * Returns the DAA agents.
 * @param usedIds ids of the other agents; ids are unique in a server, so a DAA agent with a used id is omitted
 */
function autonomousAgents(
  state: ClaudeFlowState,
  usedIds: ReadonlySet<string>,
  onDuplicate: () => void,
): ReportedAgent[] {
  const distinct = state.daaAgents.filter((agent) => {
    if (usedIds.has(agent.id)) onDuplicate();
    return !usedIds.has(agent.id);
  });
  return distinct.map((agent) =>
    createReportedAgent({
      nativeId: agent.id,
      serverType: 'DAA',
      name: agent.name ?? agent.id,
      type: agent.type ?? 'unknown',
      status: parseAgentStatus(agent.status),
      capabilities: agent.capabilities,
      performance: toPerformance({ successRate: agent.successRate }),
      neural: toNeural({
        cognitivePattern: agent.cognitivePattern,
        learningRate: agent.learningRate,
        adaptations: agent.adaptations,
      }),
      createdAt: agent.createdAt,
      lastActiveAt: agent.lastActivity,
      stale: state.daaAgentsAreStale,
    }),
  );
}

/**
 * Counts the tasks of an agent in the task store.
 * @param taskCount number of executions in the agent's record, including failed ones. If an agent has
 * executions and no ended task in the store, the numbers of its completed and failed tasks are unknown.
 */
function taskCounts(
  { tasks, tasksAreStale }: ClaudeFlowState,
  nativeId: string,
  taskCount: ClaudeFlowAgent['taskCount'],
) {
  const counts = tasksAreStale ? null : tasks?.countsFor(nativeId);
  const isUnknown = (taskCount ?? 0) > 0 && counts?.completed === 0 && counts.failed === 0;
  return {
    tasksActive: counts?.active ?? null,
    tasksCompleted: isUnknown ? null : (counts?.completed ?? null),
    tasksFailed: isUnknown ? null : (counts?.failed ?? null),
  };
}

function reportedSwarms({ swarms, swarmsAreStale, hive, hiveIsStale }: ClaudeFlowState): ReportedSwarm[] {
  const reported = swarms.map((swarm) =>
    createReportedSwarm({
      nativeId: swarm.swarmId,
      serverType: 'CLAUDE_FLOW',
      status: swarm.status,
      topologyName: swarm.topology,
      strategy: swarm.strategy,
      maxAgents: swarm.maxAgents,
      tasksTotal: swarm.taskCount,
      tasksCompleted: swarm.completedTasks,
      createdAt: swarm.createdAt,
      stale: swarmsAreStale,
    }),
  );
  if (hive === null || swarms.some((swarm) => swarm.swarmId === hive.nativeId)) return reported;
  // The hive's task counts are omitted, because they include all tasks of the project.
  const hiveSwarm = createReportedSwarm({
    nativeId: hive.nativeId,
    serverType: 'CLAUDE_FLOW',
    status: hive.status,
    topologyName: hive.topologyName,
    createdAt: hive.createdAt,
    stale: hiveIsStale,
  });
  return [...reported, hiveSwarm];
}

function reportedEdges({ hive }: ClaudeFlowState): ReportedEdge[] {
  const queen = hive?.queen ?? null;
  if (hive === null || queen === null) return [];
  return hive.workers
    .filter((worker) => worker.id !== queen.nativeId)
    .map((worker) => ({
      swarmNativeId: hive.nativeId,
      fromNativeId: queen.nativeId,
      toNativeId: worker.id,
      relation: 'leads',
    }));
}
