import type { McpServerType } from './enums.js';

/** Part of the state that a viewer may see. An agent must match every filter. A filter that is null matches everything. */
export interface Restriction {
  readonly serverIds: readonly string[] | null;
  readonly serverTypes: readonly McpServerType[] | null;
  /** Agent types in lower case. */
  readonly agentTypes: readonly string[] | null;
  readonly swarmIds: readonly string[] | null;
  /** Whether `Agent.performance` and values derived from it are visible. */
  readonly performance: boolean;
  /** Whether `Agent.neural` is visible. */
  readonly neural: boolean;
}

/** Returns whether a restriction hides no server and no agent, including future ones. */
export function allowsAllAgents({ serverIds, serverTypes, agentTypes, swarmIds }: Restriction): boolean {
  return serverIds === null && serverTypes === null && agentTypes === null && swarmIds === null;
}

export const UNRESTRICTED: Restriction = {
  serverIds: null,
  serverTypes: null,
  agentTypes: null,
  swarmIds: null,
  performance: true,
  neural: true,
};
