import type { McpServerType } from './enums.js';

/** What of the picture somebody may see: a conjunction; a filter that is `null` lets everything through. */
export interface Restriction {
  readonly serverIds: readonly string[] | null;
  readonly serverTypes: readonly McpServerType[] | null;
  /** Lower case. */
  readonly agentTypes: readonly string[] | null;
  readonly swarmIds: readonly string[] | null;
  /** Whether `Agent.performance` and what is computed of it may be seen. */
  readonly performance: boolean;
  /** Whether `Agent.neural` may be seen. */
  readonly neural: boolean;
}

export const UNRESTRICTED: Restriction = {
  serverIds: null,
  serverTypes: null,
  agentTypes: null,
  swarmIds: null,
  performance: true,
  neural: true,
};
