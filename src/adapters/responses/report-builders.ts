import {
  type AgentNeural,
  type AgentPerformance,
  type McpServerType,
  UNKNOWN_NEURAL,
  UNKNOWN_PERFORMANCE,
  type ReportedAgent,
  type ReportedSwarm,
  type ReportedTask,
} from '../../model/index.js';

/** Creates an agent from its known values. All other values are unknown. */
export function createReportedAgent(
  known: Partial<ReportedAgent> & { readonly nativeId: string; readonly serverType: McpServerType },
): ReportedAgent {
  return {
    swarmNativeId: null,
    parentNativeId: null,
    name: known.nativeId,
    title: null,
    workspace: null,
    type: 'unknown',
    status: 'UNKNOWN',
    capabilities: [],
    model: null,
    currentTaskNativeId: null,
    activity: null,
    usage: null,
    context: null,
    performance: null,
    neural: null,
    role: null,
    createdAt: null,
    lastActiveAt: null,
    stale: false,
    ...known,
  };
}

/** Creates a swarm from its known values. All other values are unknown. */
export function createReportedSwarm(
  known: Partial<ReportedSwarm> & { readonly nativeId: string; readonly serverType: McpServerType },
): ReportedSwarm {
  return {
    name: null,
    status: null,
    topologyName: null,
    strategy: null,
    maxAgents: null,
    tasksTotal: null,
    tasksActive: null,
    tasksCompleted: null,
    createdAt: null,
    stale: false,
    ...known,
  };
}

/** Creates a task from its known values. All other values are unknown. */
export function createReportedTask(
  known: Partial<ReportedTask> & { readonly nativeId: string; readonly serverType: McpServerType },
): ReportedTask {
  return {
    swarmNativeId: null,
    title: null,
    status: 'UNKNOWN',
    agentNativeIds: [],
    dependsOnNativeIds: [],
    createdAt: null,
    startedAt: null,
    endedAt: null,
    stale: false,
    ...known,
  };
}

/** Creates performance data from its known values. Returns null if no value is known. */
export function toPerformance(known: Partial<AgentPerformance>): AgentPerformance | null {
  return Object.values(known).some((value) => value !== null) ? { ...UNKNOWN_PERFORMANCE, ...known } : null;
}

/** Creates neural data from its known values. Returns null if no value is known. */
export function toNeural(known: Partial<AgentNeural>): AgentNeural | null {
  if (!Object.values(known).some((value) => value !== null)) return null;
  return { ...UNKNOWN_NEURAL, ...known };
}
