import type { AgentNeural, AgentPerformance } from './agent-fields.js';
import type { AgentStatus, McpServerType } from './enums.js';

/**
 * Result of one poll of one server, in the server's own ids. Absolute: agents that are not in the report no longer exist.
 */
export interface ServerReport {
  readonly agents: readonly ReportedAgent[];
  readonly swarms: readonly ReportedSwarm[];
  /** Edges that the server reports. Edges inferred from a topology's name are added later. */
  readonly edges: readonly ReportedEdge[];
  /** Tools that failed in this poll. Their fields are null and their agents are stale; everything else is current. */
  readonly failures: readonly ToolFailure[];
  /**
   * Tools whose answer was understood only in part. Their other data is current. Omitted if there is none.
   */
  readonly omissions?: readonly ToolFailure[];
  /**
   * Reason why a part of the state cannot be read without changing the server. The values concerned are null. Omitted if
   * everything can be read.
   */
  readonly limitation?: string;
}

export interface ReportedAgent {
  readonly nativeId: string;
  readonly serverType: McpServerType;
  readonly swarmNativeId: string | null;
  readonly name: string;
  readonly type: string;
  readonly status: AgentStatus;
  readonly capabilities: readonly string[];
  /** Language model that the agent uses. Null if the server does not report it. */
  readonly model: string | null;
  /** Native id of the task that the agent works on. Null if there is none or it is unknown. */
  readonly currentTaskNativeId: string | null;
  readonly performance: AgentPerformance | null;
  readonly neural: AgentNeural | null;
  /** Role in lower case as the server reports it: queen, worker, … */
  readonly role: string | null;
  readonly createdAt: string | null;
  readonly lastActiveAt: string | null;
  /** Whether the values are from an earlier poll because the tool that lists the agent failed in this one. */
  readonly stale: boolean;
}

export interface ReportedSwarm {
  readonly nativeId: string;
  readonly serverType: McpServerType;
  readonly name: string | null;
  readonly status: string | null;
  readonly topologyName: string | null;
  readonly strategy: string | null;
  readonly maxAgents: number | null;
  readonly tasksTotal: number | null;
  readonly tasksActive: number | null;
  readonly tasksCompleted: number | null;
  readonly createdAt: string | null;
  readonly stale: boolean;
}

export interface ReportedEdge {
  readonly swarmNativeId: string;
  readonly fromNativeId: string;
  readonly toNativeId: string;
  readonly relation: string;
}

export interface ToolFailure {
  readonly tool: string;
  readonly message: string;
}
