import type { McpServerType, TopologyKind } from './enums.js';
import type { SwarmSession } from './origin.js';

/** Absolute state of one swarm. */
export interface Swarm {
  /** Global id, `<serverId>:<nativeId>`. */
  readonly id: string;
  readonly nativeId: string;
  readonly serverId: string;
  readonly serverType: McpServerType;
  readonly name: string | null;
  /** Status in lower case, as the server reports it. Null if it does not. */
  readonly status: string | null;
  /** Topology in lower case, as the server reports it (`hierarchical-mesh`, …). Null if it does not. */
  readonly topologyName: string | null;
  readonly topology: TopologyKind | null;
  readonly strategy: string | null;
  readonly maxAgents: number | null;
  readonly tasksTotal: number | null;
  readonly tasksActive: number | null;
  readonly tasksCompleted: number | null;
  readonly stale: boolean;
  readonly createdAt: string | null;
  /** Session that the swarm of an observer stands for. Omitted for other swarms. */
  readonly session?: SwarmSession | undefined;
}

/** Directed connection between two agents of one swarm. */
export interface TopologyEdge {
  /** Global id, `<swarmId>|<native id of from>|<native id of to>`. */
  readonly id: string;
  readonly serverId: string;
  readonly swarmId: string;
  /** Global id of an agent. */
  readonly from: string;
  /** Global id of an agent. */
  readonly to: string;
  /** Relation in lower case: leads, peers, next. */
  readonly relation: string;
  /** Whether the edge is derived from the topology's name instead of reported by the server. */
  readonly inferred: boolean;
}
