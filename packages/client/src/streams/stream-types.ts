import type { Agent } from '../apply-agent-update.js';
import type {
  HealthChangesSubscription,
  HealthQuery,
  McpServerType,
  NoticesSubscription,
  PerformanceMetricsFragment,
  PerformanceMode,
  SwarmFragment,
  TopologyEdgeFragment,
  UpdateKind,
} from '../generated/operations.js';
import type { LiveStream, StreamRate, StreamSnapshot } from './stream.js';

/** Which agents: a conjunction. `null` or left out: all match; an empty list: none. */
export interface AgentFilters {
  readonly serverTypes?: readonly McpServerType[] | null | undefined;
  readonly agentTypes?: readonly string[] | null | undefined;
  readonly swarmIds?: readonly string[] | null | undefined;
}

/** What of them. @default all */
export interface AgentIncludes {
  readonly includePerformance?: boolean | undefined;
  readonly includeNeural?: boolean | undefined;
  readonly includeTopology?: boolean | undefined;
}

export interface StreamOptions {
  /** Disposes the stream when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** All that an agent stream asks for, as variables of `AgentUpdatesDocument`. */
export interface AgentStreamRequest {
  readonly serverTypes: readonly McpServerType[] | null;
  readonly agentTypes: readonly string[] | null;
  readonly swarmIds: readonly string[] | null;
  readonly includePerformance: boolean;
  readonly includeNeural: boolean;
  readonly includeTopology: boolean;
  readonly mode: PerformanceMode;
}

/** The part of an agent stream that it is to ask for from now on; what is left out stays as it was. */
export type AgentStreamRequestPatch = AgentFilters & AgentIncludes & { readonly mode?: PerformanceMode | undefined };

/** What cursor streams say beside their picture. */
export interface CursorStreamSnapshot extends StreamSnapshot {
  /** Where the picture stands; `null`: nothing has come yet. */
  readonly cursor: string | null;
  /** When the server made the last update, RFC 3339; `null`: nothing has come yet. */
  readonly timestamp: string | null;
  /** Servers that do not answer now: what is shown of them is last known. */
  readonly staleServerIds: readonly string[];
  /** `null`: nothing has come yet. */
  readonly rate: StreamRate | null;
}

/** Swarms, and the edges between their agents, by id. Empty where topology is not included. */
export interface Topology {
  readonly swarms: ReadonlyMap<string, SwarmFragment>;
  readonly edges: ReadonlyMap<string, TopologyEdgeFragment>;
}

export interface AgentStreamSnapshot extends CursorStreamSnapshot, Topology {
  /** By `Agent.id`. An agent that did not change is the same object as before. */
  readonly agents: ReadonlyMap<string, Agent>;
  /** What is asked for now; the picture follows. */
  readonly request: AgentStreamRequest;
}

/** What changed since the update before, in one piece. */
export interface AgentStreamUpdate {
  /** SNAPSHOT: forget what you had. */
  readonly kind: UpdateKind;
  /** SNAPSHOT: all that match; DELTA: those that changed, or came to match. */
  readonly agents: readonly Agent[];
  readonly removedAgentIds: readonly string[];
  /** After the update. */
  readonly snapshot: AgentStreamSnapshot;
}

export interface AgentStream extends LiveStream<AgentStreamSnapshot, AgentStreamUpdate> {
  /** Asks for something else from now on, on the same connection: it goes on from its cursor, without a new snapshot. */
  updateRequest(change: AgentStreamRequestPatch): void;
}

/** What a topology stream asks for. */
export interface TopologyStreamRequest {
  /** Only swarms that these families reported. `null` or left out: all. */
  readonly serverTypes?: readonly McpServerType[] | null | undefined;
  /** Only these swarms. `null` or left out: all. */
  readonly swarmIds?: readonly string[] | null | undefined;
  /** @default NORMAL */
  readonly mode?: PerformanceMode | undefined;
}

export interface TopologyStreamSnapshot extends CursorStreamSnapshot, Topology {}

/** Swarms and edges without the agents. An iteration gives the picture after each change. */
export type TopologyStream = LiveStream<TopologyStreamSnapshot, TopologyStreamSnapshot>;

export type Health = HealthQuery['health'];
export type HealthChange = HealthChangesSubscription['healthChanges'];
export type Notice = NoticesSubscription['notices'];

export interface HealthStreamSnapshot extends StreamSnapshot {
  /** `null`: not known yet. */
  readonly health: Health | null;
  /** The last changes of servers and breakers, oldest first. */
  readonly changes: readonly HealthChange[];
}

export interface HealthStreamOptions extends StreamOptions {
  /** Between two looks at the figures, milliseconds; it is looked at once more at each change. @default 2000 */
  readonly pollIntervalMs?: number | undefined;
  /** Changes that are kept. @default 100 */
  readonly maxChanges?: number | undefined;
}

/** Servers, breakers and this node. An iteration gives the picture after each change. */
export type HealthStream = LiveStream<HealthStreamSnapshot, HealthStreamSnapshot>;

export interface NoticeStreamSnapshot extends StreamSnapshot {
  /** The last ones, oldest first, from when somebody began to listen. */
  readonly notices: readonly Notice[];
  /** Notices that were not told because this reader was too slow. What came while the connection was lost is not counted. */
  readonly missed: number;
}

export interface NoticeStreamOptions extends StreamOptions {
  /** Notices that are kept, and that wait for a slow iteration. @default 100 */
  readonly maxNotices?: number | undefined;
}

/** What a person should see. An iteration gives each notice, once. */
export type NoticeStream = LiveStream<NoticeStreamSnapshot, Notice>;

export interface MetricsStreamRequest {
  /** Only agents that these families reported. `null` or left out: all. */
  readonly serverTypes?: readonly McpServerType[] | null | undefined;
  /** @default LOW_FREQUENCY */
  readonly mode?: PerformanceMode | undefined;
}

export interface MetricsStreamSnapshot extends StreamSnapshot {
  /** What all agents do together; `null`: not known yet. */
  readonly metrics: PerformanceMetricsFragment | null;
}

/** An iteration gives the picture after each change. */
export type MetricsStream = LiveStream<MetricsStreamSnapshot, MetricsStreamSnapshot>;
