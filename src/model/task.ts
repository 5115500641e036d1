import type { McpServerType, TaskStatus } from './enums.js';

/** Absolute state of one task. A newer value replaces an older one as a whole. */
export interface Task {
  /** Global id, `<serverId>:<nativeId>`. */
  readonly id: string;
  readonly nativeId: string;
  readonly serverId: string;
  /** Server type whose tools reported the task. May differ from the type of its server. */
  readonly serverType: McpServerType;
  /** Global id of the swarm. Null if the server does not report it. */
  readonly swarmId: string | null;
  /** Null if the server does not report it, or may not show text. */
  readonly title: string | null;
  readonly status: TaskStatus;
  /** Global ids of the assigned agents, without duplicates. */
  readonly agentIds: readonly string[];
  /** Global ids of the tasks that must end before this one starts, without duplicates. */
  readonly dependsOnIds: readonly string[];
  /** RFC 3339, UTC. Null if the server does not report it. */
  readonly createdAt: string | null;
  /** RFC 3339, UTC. Null if the server does not report it. */
  readonly startedAt: string | null;
  /** RFC 3339, UTC. Null if the server does not report it. */
  readonly endedAt: string | null;
  /** Whether the values are the last known ones because the server, or the tool that lists the task, does not answer. */
  readonly stale: boolean;
}

/** Message from an agent to others. An event, not part of the state. */
export interface AgentMessage {
  readonly type: 'message';
  /** Global id, `<serverId>:<nativeId>`. */
  readonly id: string;
  readonly serverId: string;
  /** Server type whose tools reported the message. */
  readonly serverType: McpServerType;
  /** Global id of the swarm in which the message was sent. Null if the server does not report it. */
  readonly swarmId: string | null;
  /** Global id of the sender. Null if a person sent the message, or if the sender is unknown. */
  readonly fromAgentId: string | null;
  /** Global ids of the recipients, without duplicates. */
  readonly toAgentIds: readonly string[];
  /** RFC 3339, UTC. */
  readonly sentAt: string;
  /** Null if the server may not show text. */
  readonly text: string | null;
}
