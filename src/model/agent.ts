import { type AgentNeural, type AgentPerformance, mapNeuralFields, mapPerformanceFields } from './agent-fields.js';
import type { ActivityKind, AgentStatus, McpServerType, WaitReason } from './enums.js';

/** Position of an agent in the topology of its swarm. */
export interface AgentTopologyPosition {
  /** Role in lower case, open vocabulary: queen, worker, coordinator, member, … */
  readonly role: string | null;
  /** Global id of the parent agent. Null at the top, and in topologies without a hierarchy. */
  readonly parentId: string | null;
  /** Number of steps from the top, which is 0. Null in topologies without a top. */
  readonly depth: number | null;
  /** Number of agents that the agent has an edge with. */
  readonly degree: number;
  /** Whether the position is derived from the topology's name instead of reported by the server. */
  readonly inferred: boolean;
}

/** Work that an agent does now. A value is null if the server does not report it. */
export interface AgentActivity {
  readonly kind: ActivityKind;
  /** Name of the tool, of the model or of the work. */
  readonly label: string | null;
  /** Text about the work. Null if the server may not show text. */
  readonly detail: string | null;
  /** Start of the work (RFC 3339, UTC). */
  readonly since: string | null;
  /** Reason for a wait. Null unless the agent waits for a person. */
  readonly waitingFor: WaitReason | null;
  /** Whether the activity is derived from other facts instead of reported. */
  readonly inferred: boolean;
}

/** Tokens and cost of an agent since its start, without those of its children. Null if the server does not report the value. */
export interface AgentUsage {
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly cacheReadTokens: number | null;
  readonly cacheWriteTokens: number | null;
  readonly totalTokens: number | null;
  readonly costUsd: number | null;
  /** Whether `costUsd` is computed from tokens and list prices instead of measured. */
  readonly costEstimated: boolean;
  /** Whether the numbers include everything that the agent used. Otherwise, they are lower limits. */
  readonly complete: boolean;
}

/** Context window of the model that an agent uses. Null if the server does not report the value. */
export interface ContextWindow {
  readonly usedTokens: number | null;
  readonly limitTokens: number | null;
  /** Used share, 0 to 1. */
  readonly usedRatio: number | null;
}

/** Absolute state of one agent. A newer value replaces an older one as a whole. */
export interface Agent {
  /** Global id, `<serverId>:<nativeId>`. */
  readonly id: string;
  readonly nativeId: string;
  readonly serverId: string;
  /** Server type whose tools reported the agent. May differ from the type of its server. */
  readonly serverType: McpServerType;
  /** Global id of the swarm, `<serverId>:<native swarm id>`. Null if the server does not report it. */
  readonly swarmId: string | null;
  /** Global id of the agent that started this one. Null if there is none or the server does not report it. */
  readonly parentId: string | null;
  readonly name: string;
  /** Title of the work. Null if the server does not report it, or may not show text. */
  readonly title: string | null;
  /** Name of the project directory. Null if the server does not report it. */
  readonly workspace: string | null;
  /** Type in lower case, open vocabulary. `unknown` if the server does not report it. */
  readonly type: string;
  readonly status: AgentStatus;
  readonly capabilities: readonly string[];
  /** Language model that the agent uses. Null if the server does not report it. */
  readonly model: string | null;
  /** Global id of the task that the agent works on, `<serverId>:<nativeId>`. Null if there is none or it is unknown. */
  readonly currentTaskId: string | null;
  /** Null if unknown. */
  readonly activity: AgentActivity | null;
  /** Null if the server does not report it. */
  readonly usage: AgentUsage | null;
  /** Null if the server does not report it. */
  readonly context: ContextWindow | null;
  readonly performance: AgentPerformance | null;
  readonly neural: AgentNeural | null;
  readonly topology: AgentTopologyPosition | null;
  /** Whether the values are the last known ones because the server, or the tool that lists the agent, does not answer. */
  readonly stale: boolean;
  /** Whether the agent belongs to a simulated server. */
  readonly simulated: boolean;
  /** RFC 3339, UTC. Null if the server does not report it. */
  readonly createdAt: string | null;
  /** RFC 3339, UTC. Null if the server does not report it. */
  readonly lastActiveAt: string | null;
  /** Time at which the server last reported the agent (RFC 3339, UTC). */
  readonly lastSeenAt: string;
}

export const UNKNOWN_PERFORMANCE: AgentPerformance = mapPerformanceFields(() => null);

export const UNKNOWN_NEURAL: AgentNeural = mapNeuralFields(
  () => null,
  () => null,
);
