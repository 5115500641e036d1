import type { AgentNeural, AgentPerformance } from './agent-fields.js';
import type { AgentActivity, AgentUsage, ContextWindow } from './agent.js';
import type { AgentStatus, McpServerType, TaskStatus } from './enums.js';

/**
 * Result of one poll of one server, in the server's own ids. Absolute: agents, swarms and tasks that are not in the report
 * no longer exist.
 */
export interface ServerReport {
  readonly agents: readonly ReportedAgent[];
  readonly swarms: readonly ReportedSwarm[];
  /** Edges that the server reports. Edges inferred from a topology's name are added later. */
  readonly edges: readonly ReportedEdge[];
  /** Omitted if the server reports no tasks. */
  readonly tasks?: readonly ReportedTask[];
  /**
   * The newest messages, oldest first. A message may be repeated by later reports; its id identifies it.
   * Omitted if the server reports no messages.
   */
  readonly messages?: readonly ReportedMessage[];
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
  /** Native id of the agent that started this one. Null if there is none or the server does not report it. */
  readonly parentNativeId: string | null;
  readonly name: string;
  /** Title of the work. Null if the server does not report it, or may not show text. */
  readonly title: string | null;
  /** Name of the project directory. Null if the server does not report it. */
  readonly workspace: string | null;
  readonly type: string;
  readonly status: AgentStatus;
  readonly capabilities: readonly string[];
  /** Language model that the agent uses. Null if the server does not report it. */
  readonly model: string | null;
  /** Native id of the task that the agent works on. Null if there is none or it is unknown. */
  readonly currentTaskNativeId: string | null;
  readonly activity: AgentActivity | null;
  readonly usage: AgentUsage | null;
  readonly context: ContextWindow | null;
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
  /** Session that the swarm stands for. Omitted unless an observer reports the swarm. */
  readonly session?: ReportedSession;
}

export interface ReportedSession {
  readonly agentNativeId: string;
  readonly processKey: string | null;
  readonly directoryKey: string | null;
}

export interface ReportedEdge {
  readonly swarmNativeId: string;
  readonly fromNativeId: string;
  readonly toNativeId: string;
  readonly relation: string;
}

export interface ReportedTask {
  readonly nativeId: string;
  readonly serverType: McpServerType;
  readonly swarmNativeId: string | null;
  readonly title: string | null;
  readonly status: TaskStatus;
  /** Native ids of the assigned agents. */
  readonly agentNativeIds: readonly string[];
  /** Native ids of the tasks that must end before this one starts. */
  readonly dependsOnNativeIds: readonly string[];
  readonly createdAt: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** Whether the values are from an earlier poll because the tool that lists the task failed in this one. */
  readonly stale: boolean;
}

export interface ReportedMessage {
  readonly nativeId: string;
  readonly serverType: McpServerType;
  readonly swarmNativeId: string | null;
  /** Native id of the sender. Null if a person sent the message, or if the sender is unknown. */
  readonly fromNativeId: string | null;
  /** Native ids of the recipients. */
  readonly toNativeIds: readonly string[];
  readonly sentAt: string;
  readonly text: string | null;
}

export interface ToolFailure {
  readonly tool: string;
  readonly message: string;
}
