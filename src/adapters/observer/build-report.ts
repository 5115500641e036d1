import type {
  ActivityKind,
  AgentActivity,
  AgentStatus,
  ContextWindow,
  McpServerType,
  ReportedAgent,
  ReportedEdge,
  ReportedMessage,
  ReportedSwarm,
  ReportedTask,
  TaskStatus,
  WaitReason,
} from '../../model/index.js';
import type {
  ObservedActivityKind,
  ObservedContext,
  ObservedStatus,
  ObservedTaskStatus,
  ObservedWaitReason,
} from '../../observer-format/index.js';
import {
  createReportedAgent,
  createReportedSwarm,
  createReportedTask,
  toPerformance,
} from '../responses/report-builders.js';
import type { AgentEntry, MessageEntry, SwarmEntry, TaskEntry } from './entries.js';

const STATUSES: Readonly<Record<ObservedStatus, AgentStatus>> = {
  working: 'BUSY',
  waiting: 'WAITING',
  idle: 'IDLE',
  interrupted: 'IDLE',
  finished: 'TERMINATED',
  failed: 'ERROR',
  ended: 'TERMINATED',
  unknown: 'UNKNOWN',
};

const ACTIVITY_KINDS: Readonly<Record<ObservedActivityKind, ActivityKind>> = {
  tool: 'TOOL',
  model: 'MODEL',
  waiting: 'WAITING',
  compacting: 'COMPACTING',
};

const WAIT_REASONS: Readonly<Record<ObservedWaitReason, WaitReason>> = {
  permission: 'PERMISSION',
  answer: 'ANSWER',
  plan_approval: 'PLAN_APPROVAL',
  other: 'OTHER',
};

const TASK_STATUSES: Readonly<Record<ObservedTaskStatus, TaskStatus>> = {
  pending: 'PENDING',
  in_progress: 'IN_PROGRESS',
  blocked: 'BLOCKED',
  completed: 'COMPLETED',
  failed: 'FAILED',
  canceled: 'CANCELED',
  unknown: 'UNKNOWN',
};

/** Statuses of agents whose swarm is at work. */
const AT_WORK: readonly ObservedStatus[] = ['working', 'waiting'];

/** @param currentTasks ids of the tasks in progress by agent */
export function toReportedAgent(
  serverType: McpServerType,
  agent: AgentEntry,
  currentTasks: ReadonlyMap<string, string>,
): ReportedAgent {
  const { usage } = agent;
  return createReportedAgent({
    nativeId: agent.id,
    serverType,
    swarmNativeId: agent.swarmId,
    parentNativeId: agent.parentId,
    name: agent.name ?? agent.id,
    title: agent.title,
    workspace: agent.workspace,
    type: agent.type ?? 'unknown',
    status: STATUSES[agent.status],
    model: agent.model,
    currentTaskNativeId: currentTasks.get(agent.id) ?? null,
    activity: toActivity(agent),
    usage,
    context: toContext(agent.context),
    performance: toPerformance({ tokenUsage: usage?.totalTokens ?? null }),
    createdAt: agent.createdAt,
    lastActiveAt: agent.lastActiveAt,
  });
}

/** Returns the ids of the tasks in progress by agent. */
export function findCurrentTasks(tasks: Iterable<TaskEntry>): ReadonlyMap<string, string> {
  const current = new Map<string, string>();
  for (const { id, status, agentIds } of tasks) {
    if (status !== 'in_progress') continue;
    for (const agentId of agentIds) if (!current.has(agentId)) current.set(agentId, id);
  }
  return current;
}

export function toReportedSwarms(
  serverType: McpServerType,
  swarms: Iterable<SwarmEntry>,
  agents: Iterable<AgentEntry>,
  tasks: Iterable<TaskEntry>,
): readonly ReportedSwarm[] {
  const working = new Set<string>();
  for (const { swarmId, status } of agents) if (swarmId !== null && AT_WORK.includes(status)) working.add(swarmId);
  const counts = countTasks(tasks);
  return [...swarms].map(({ id, name, leadAgentId, processKey, directoryKey, createdAt }) => {
    const count = counts.get(id);
    return createReportedSwarm({
      nativeId: id,
      serverType,
      name,
      status: working.has(id) ? 'active' : 'idle',
      topologyName: 'hierarchical',
      tasksTotal: count?.total ?? 0,
      tasksActive: count?.active ?? 0,
      tasksCompleted: count?.completed ?? 0,
      createdAt,
      ...(leadAgentId === null ? {} : { session: { agentNativeId: leadAgentId, processKey, directoryKey } }),
    });
  });
}

function countTasks(tasks: Iterable<TaskEntry>) {
  const counts = new Map<string, { total: number; active: number; completed: number }>();
  for (const { swarmId, status } of tasks) {
    if (swarmId === null) continue;
    const count = counts.get(swarmId) ?? { total: 0, active: 0, completed: 0 };
    counts.set(swarmId, count);
    count.total += 1;
    if (status === 'in_progress') count.active += 1;
    if (status === 'completed') count.completed += 1;
  }
  return counts;
}

/** Returns the edges from agents to those that they started. */
export function toReportedEdges(agents: Iterable<AgentEntry>): readonly ReportedEdge[] {
  return [...agents].flatMap(({ id, parentId, swarmId }) =>
    parentId === null || swarmId === null
      ? []
      : [{ swarmNativeId: swarmId, fromNativeId: parentId, toNativeId: id, relation: 'started' }],
  );
}

export function toReportedTask(serverType: McpServerType, task: TaskEntry): ReportedTask {
  return createReportedTask({
    nativeId: task.id,
    serverType,
    swarmNativeId: task.swarmId,
    title: task.title,
    status: TASK_STATUSES[task.status],
    agentNativeIds: task.agentIds,
    dependsOnNativeIds: task.dependsOnIds,
    createdAt: task.createdAt,
    startedAt: task.startedAt,
    endedAt: task.endedAt,
  });
}

/** Returns the messages, oldest first. */
export function toReportedMessages(
  serverType: McpServerType,
  messages: Iterable<MessageEntry>,
): readonly ReportedMessage[] {
  return [...messages]
    .flatMap(({ id, swarmId, fromAgentId, toAgentIds, sentAt, text }): ReportedMessage[] =>
      sentAt === null
        ? []
        : [
            {
              nativeId: id,
              serverType,
              swarmNativeId: swarmId,
              fromNativeId: fromAgentId,
              toNativeIds: toAgentIds,
              sentAt,
              text,
            },
          ],
    )
    .sort((a, b) => (a.sentAt === b.sentAt ? 0 : a.sentAt < b.sentAt ? -1 : 1));
}

function toActivity({ activity, statusInferred }: AgentEntry): AgentActivity | null {
  if (activity === null) return null;
  const { kind, label, detail, since, waitingFor, inferred } = activity;
  return {
    kind: ACTIVITY_KINDS[kind],
    label,
    detail,
    since,
    waitingFor: waitingFor === null ? null : WAIT_REASONS[waitingFor],
    inferred: inferred || statusInferred,
  };
}

function toContext(context: ObservedContext | null): ContextWindow | null {
  if (context === null) return null;
  const { usedTokens, limitTokens } = context;
  const usedRatio = usedTokens === null || limitTokens === null || limitTokens === 0 ? null : usedTokens / limitTokens;
  return { usedTokens, limitTokens, usedRatio: usedRatio === null ? null : Math.min(1, usedRatio) };
}
