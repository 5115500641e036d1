import type { Agent } from '../apply-agent-update.js';
import type {
  AgentMessagesSubscription,
  HealthChangesSubscription,
  HealthQuery,
  McpServerType,
  NoticesSubscription,
  PerformanceMetricsFragment,
  PerformanceMode,
  SwarmFragment,
  TaskFragment,
  TopologyEdgeFragment,
  UpdateKind,
} from '../generated/operations.js';
import type { LiveStream, StreamRate, StreamSnapshot } from './stream.js';

/** Filters that an agent must all match. A missing filter or null matches all agents, an empty list none. */
export interface AgentFilters {
  readonly serverTypes?: readonly McpServerType[] | null | undefined;
  readonly agentTypes?: readonly string[] | null | undefined;
  readonly swarmIds?: readonly string[] | null | undefined;
}

/** Parts of an agent to include. @default all parts */
export interface AgentIncludes {
  readonly includePerformance?: boolean | undefined;
  readonly includeNeural?: boolean | undefined;
  readonly includeTopology?: boolean | undefined;
}

export interface StreamOptions {
  /** Ends the stream or the request when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** Complete request of an agent stream, as variables of `AgentUpdatesDocument`. */
export interface AgentStreamRequest {
  readonly serverTypes: readonly McpServerType[] | null;
  readonly agentTypes: readonly string[] | null;
  readonly swarmIds: readonly string[] | null;
  readonly includePerformance: boolean;
  readonly includeNeural: boolean;
  readonly includeTopology: boolean;
  readonly mode: PerformanceMode;
}

/** Change of an agent stream's request. Missing properties keep their values. */
export type AgentStreamRequestPatch = AgentFilters & AgentIncludes & { readonly mode?: PerformanceMode | undefined };

/** Part that the snapshots of streams with a cursor have in common. */
export interface CursorStreamSnapshot extends StreamSnapshot {
  /** Cursor of the last update. Null before the first update. */
  readonly cursor: string | null;
  /** Time at which the server created the last update, in RFC 3339. Null before the first update. */
  readonly timestamp: string | null;
  /** Ids of the servers that do not answer. Their data is the last known. */
  readonly staleServerIds: readonly string[];
  /** Update rates. Null before the first update. */
  readonly rate: StreamRate | null;
}

/** Swarms and edges by id. Both are empty if the request does not include topology. */
export interface Topology {
  readonly swarms: ReadonlyMap<string, SwarmFragment>;
  readonly edges: ReadonlyMap<string, TopologyEdgeFragment>;
}

export interface AgentStreamSnapshot extends CursorStreamSnapshot, Topology {
  /** Agents by `Agent.id`. An unchanged agent keeps its object identity. */
  readonly agents: ReadonlyMap<string, Agent>;
  /** Current request. The agents follow with the next update. */
  readonly request: AgentStreamRequest;
}

/** All changes since the previous update. */
export interface AgentStreamUpdate {
  /** SNAPSHOT if the update replaces everything received before. */
  readonly kind: UpdateKind;
  /** All matching agents in a SNAPSHOT; changed and newly matching agents in a DELTA. */
  readonly agents: readonly Agent[];
  readonly removedAgentIds: readonly string[];
  /** Snapshot of the stream after the update. */
  readonly snapshot: AgentStreamSnapshot;
}

export interface AgentStream extends LiveStream<AgentStreamSnapshot, AgentStreamUpdate> {
  /** Changes filters, included parts or mode. Resumes from the cursor on the same connection, without a new snapshot. */
  updateRequest(patch: AgentStreamRequestPatch): void;
}

/** Request of a topology stream. */
export interface TopologyStreamRequest {
  /** Only swarms of these server types. Missing or null: all swarms. */
  readonly serverTypes?: readonly McpServerType[] | null | undefined;
  /** Only swarms with these ids. Missing or null: all swarms. */
  readonly swarmIds?: readonly string[] | null | undefined;
  /** Maximum update rate. @default NORMAL */
  readonly mode?: PerformanceMode | undefined;
}

export interface TopologyStreamSnapshot extends CursorStreamSnapshot, Topology {}

/** Stream of swarms and edges without agents. Iteration yields the snapshot after each change. */
export type TopologyStream = LiveStream<TopologyStreamSnapshot, TopologyStreamSnapshot>;

export type Task = TaskFragment;
export type AgentMessage = AgentMessagesSubscription['agentMessages'];

/** Request of a task stream. */
export interface TaskStreamRequest {
  /** Only tasks of these server types. Missing or null: all tasks. */
  readonly serverTypes?: readonly McpServerType[] | null | undefined;
  /** Only tasks of these swarms. Missing or null: all tasks. */
  readonly swarmIds?: readonly string[] | null | undefined;
  /** Only tasks that are assigned to any of these agents. Missing or null: all tasks. */
  readonly agentIds?: readonly string[] | null | undefined;
  /** Maximum update rate. @default NORMAL */
  readonly mode?: PerformanceMode | undefined;
}

export interface TaskStreamSnapshot extends CursorStreamSnapshot {
  /** Tasks by `Task.id`. An unchanged task keeps its object identity. */
  readonly tasks: ReadonlyMap<string, Task>;
}

/** Stream of tasks. Iteration yields the snapshot after each update. */
export type TaskStream = LiveStream<TaskStreamSnapshot, TaskStreamSnapshot>;

/** Request of a message stream. */
export interface MessageStreamRequest {
  /** Only messages of these server types. Missing or null: all messages. */
  readonly serverTypes?: readonly McpServerType[] | null | undefined;
  /** Only messages in these swarms. Missing or null: all messages. */
  readonly swarmIds?: readonly string[] | null | undefined;
}

export interface MessageStreamSnapshot extends StreamSnapshot {
  /** Last 100 messages since the stream was first observed, oldest first. */
  readonly messages: readonly AgentMessage[];
  /** Number of messages dropped because this client was too slow. Does not count messages during a lost connection. */
  readonly missed: number;
}

/** Stream of messages between agents. Iteration yields each message once. */
export type MessageStream = LiveStream<MessageStreamSnapshot, AgentMessage>;

export type Health = HealthQuery['health'];
export type HealthChange = HealthChangesSubscription['healthChanges'];
export type Notice = NoticesSubscription['notices'];

export interface HealthStreamSnapshot extends StreamSnapshot {
  /** Health of servers and the connected node. Null before the first response. */
  readonly health: Health | null;
  /** Last changes of servers and circuit breakers, oldest first. */
  readonly changes: readonly HealthChange[];
}

export interface HealthStreamOptions extends StreamOptions {
  /** Interval between two polls in milliseconds. A health change triggers an additional poll. @default 2000 */
  readonly pollIntervalMs?: number | undefined;
  /** Maximum number of changes in the snapshot. @default 100 */
  readonly maxChanges?: number | undefined;
}

/** Stream of health data. Iteration yields the snapshot after each poll. */
export type HealthStream = LiveStream<HealthStreamSnapshot, HealthStreamSnapshot>;

export interface NoticeStreamSnapshot extends StreamSnapshot {
  /** Last notices since the stream was first observed, oldest first. */
  readonly notices: readonly Notice[];
  /** Number of notices dropped because this client was too slow. Does not count notices during a lost connection. */
  readonly missed: number;
}

export interface NoticeStreamOptions extends StreamOptions {
  /** Maximum number of notices in the snapshot, and of notices that wait for a slow iterator. @default 100 */
  readonly maxNotices?: number | undefined;
}

/** Stream of notices for users. Iteration yields each notice once. */
export type NoticeStream = LiveStream<NoticeStreamSnapshot, Notice>;

/** Request of a metrics stream. */
export interface MetricsStreamRequest {
  /** Only agents of these server types. Missing or null: all agents. */
  readonly serverTypes?: readonly McpServerType[] | null | undefined;
  /** Maximum update rate. @default LOW_FREQUENCY */
  readonly mode?: PerformanceMode | undefined;
}

export interface MetricsStreamSnapshot extends StreamSnapshot {
  /** Metrics aggregated over all matching agents. Null before the first update. */
  readonly metrics: PerformanceMetricsFragment | null;
}

/** Stream of aggregated performance metrics. Iteration yields the snapshot after each update. */
export type MetricsStream = LiveStream<MetricsStreamSnapshot, MetricsStreamSnapshot>;
