import {
  type AgentNeural,
  type AgentPerformance,
  type McpServerType,
  UNKNOWN_NEURAL,
  UNKNOWN_PERFORMANCE,
  type ReportedAgent,
  type ReportedSwarm,
} from '../../model/index.js';

/** Creates an agent from its known values. All other values are unknown. */
export function createReportedAgent(
  known: Partial<ReportedAgent> & { readonly nativeId: string; readonly serverType: McpServerType },
): ReportedAgent {
  return {
    swarmNativeId: null,
    name: known.nativeId,
    type: 'unknown',
    status: 'UNKNOWN',
    capabilities: [],
    model: null,
    currentTaskNativeId: null,
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

/** Creates performance data from its known values. Returns null if no value is known. */
export function toPerformance(known: Partial<AgentPerformance>): AgentPerformance | null {
  return Object.values(known).some((value) => value !== null) ? { ...UNKNOWN_PERFORMANCE, ...known } : null;
}

/** Creates neural data from its known values. Returns null if no value is known. */
export function toNeural(known: Partial<AgentNeural>): AgentNeural | null {
  if (!Object.values(known).some((value) => value !== null)) return null;
  return { ...UNKNOWN_NEURAL, ...known };
}
