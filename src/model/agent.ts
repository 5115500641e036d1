import type { AgentStatus, McpServerType } from './enums.js';

/** What a server reports of an agent's work. A value that it does not report is `null`, never a guess. */
export interface AgentPerformance {
  /** 0..1 of one machine's CPU. */
  readonly cpuUsage: number | null;
  /** 0..1 of one machine's memory. */
  readonly memoryUsage: number | null;
  /** 0..1; declared by the server, seldom measured by it. */
  readonly healthScore: number | null;
  /** 0..1 */
  readonly activityLevel: number | null;
  readonly tasksActive: number | null;
  readonly tasksCompleted: number | null;
  readonly tasksFailed: number | null;
  /** 0..1 */
  readonly successRate: number | null;
  /** Tokens used since the agent began. */
  readonly tokenUsage: number | null;
  /** Tokens a second. */
  readonly tokenRate: number | null;
  readonly responseTimeMs: number | null;
  /** Tasks a second. */
  readonly throughput: number | null;
}

/** What a server reports of an agent's way of thinking. */
export interface AgentNeural {
  /** Lower case, open vocabulary: convergent, divergent, lateral, systems, critical, adaptive, … */
  readonly cognitivePattern: string | null;
  /** The server's own id of the agent's neural network. */
  readonly networkId: string | null;
  /** Adaptations counted by the server since the agent began. */
  readonly adaptations: number | null;
  /** 0..1 */
  readonly learningRate: number | null;
}

/** Where an agent stands in the topology of its swarm. */
export interface AgentTopologyPosition {
  /** Lower case, open vocabulary: queen, worker, coordinator, member, … */
  readonly role: string | null;
  /** Id of the agent above it (`Agent.id`); `null` at the top and where the topology has no above. */
  readonly parentId: string | null;
  /** Steps from the top, which is 0; `null` where the topology has no top. */
  readonly depth: number | null;
  /** Agents that it has an edge with. */
  readonly degree: number;
  /** `true` when the position follows from the topology's name rather than from what the server reported. */
  readonly inferred: boolean;
}

/** One agent in the picture. Absolute: a newer value of it replaces an older one whole. */
export interface Agent {
  /** `<serverId>:<nativeId>`, unique over all servers. */
  readonly id: string;
  readonly nativeId: string;
  readonly serverId: string;
  /** The family that reported it, which need not be its server's own. */
  readonly serverType: McpServerType;
  /** `<serverId>:<native swarm id>` */
  readonly swarmId: string | null;
  readonly name: string;
  /** Lower case, open vocabulary; `unknown` where the server does not say. */
  readonly type: string;
  readonly status: AgentStatus;
  readonly capabilities: readonly string[];
  readonly performance: AgentPerformance | null;
  readonly neural: AgentNeural | null;
  readonly topology: AgentTopologyPosition | null;
  /** Its server, or the tool that lists it, does not answer: these are its last known values. */
  readonly stale: boolean;
  /** Made by a simulated server. */
  readonly simulated: boolean;
  readonly createdAt: string | null;
  readonly lastActiveAt: string | null;
  /** When its server last reported it (RFC 3339, UTC). */
  readonly lastSeenAt: string;
}

export const UNKNOWN_PERFORMANCE: AgentPerformance = {
  cpuUsage: null,
  memoryUsage: null,
  healthScore: null,
  activityLevel: null,
  tasksActive: null,
  tasksCompleted: null,
  tasksFailed: null,
  successRate: null,
  tokenUsage: null,
  tokenRate: null,
  responseTimeMs: null,
  throughput: null,
};
