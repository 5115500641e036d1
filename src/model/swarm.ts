import type { McpServerType, TopologyKind } from './enums.js';

/** One swarm in the picture. */
export interface Swarm {
  /** `<serverId>:<nativeId>`, unique over all servers. */
  readonly id: string;
  readonly nativeId: string;
  readonly serverId: string;
  readonly serverType: McpServerType;
  readonly name: string | null;
  /** Lower case, as the server says it; `null` where it does not. */
  readonly status: string | null;
  /** Lower case, as the server says it (`hierarchical-mesh`, …); `null` where it does not. */
  readonly topologyName: string | null;
  readonly topology: TopologyKind | null;
  readonly strategy: string | null;
  readonly maxAgents: number | null;
  readonly tasksTotal: number | null;
  readonly tasksActive: number | null;
  readonly tasksCompleted: number | null;
  readonly stale: boolean;
  readonly createdAt: string | null;
}

/** A directed connection between two agents of one swarm. */
export interface TopologyEdge {
  /** `<swarmId>|<native id of from>|<native id of to>`, unique over all servers. */
  readonly id: string;
  readonly serverId: string;
  readonly swarmId: string;
  /** `Agent.id` */
  readonly from: string;
  /** `Agent.id` */
  readonly to: string;
  /** Lower case: leads, peers, next. */
  readonly relation: string;
  /** Derived from the name of the swarm's topology, not reported by the server. */
  readonly inferred: boolean;
}
