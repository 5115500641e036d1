import type { AgentNeural, AgentPerformance } from './agent-fields.js';
import type { AgentStatus, McpServerType } from './enums.js';

/**
 * What one poll of one server found, in the server's own ids: what an adapter makes of the tools' answers.
 * It is absolute: an agent that is not in it is gone.
 */
export interface ServerReport {
  readonly agents: readonly ReportedAgent[];
  readonly swarms: readonly ReportedSwarm[];
  /** Only edges that the server itself reports; those that follow from a topology's name are added later. */
  readonly edges: readonly ReportedEdge[];
  /** Tools that failed in this poll. Their fields are `null`, their agents stale; the rest is as new. */
  readonly failures: readonly ToolFailure[];
}

export interface ReportedAgent {
  readonly nativeId: string;
  readonly serverType: McpServerType;
  readonly swarmNativeId: string | null;
  readonly name: string;
  readonly type: string;
  readonly status: AgentStatus;
  readonly capabilities: readonly string[];
  readonly performance: AgentPerformance | null;
  readonly neural: AgentNeural | null;
  /** Lower case role that the server reports: queen, worker, … */
  readonly role: string | null;
  readonly createdAt: string | null;
  readonly lastActiveAt: string | null;
  /** The tool that lists it failed in this poll: these are its values of an earlier one. */
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
