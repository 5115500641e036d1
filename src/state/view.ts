import { type Agent, type McpServer, type McpServerType, type Restriction, parseServerId } from '../model/index.js';

/**
 * What a reader wants to see: a conjunction of filters, and which parts of an agent. A filter that is `null` lets
 * everything through, an empty one nothing.
 */
export interface View {
  /** Equal views have equal keys. */
  readonly key: string;
  readonly serverIds: ReadonlySet<string> | null;
  readonly serverTypes: ReadonlySet<McpServerType> | null;
  readonly agentTypes: ReadonlySet<string> | null;
  readonly swarmIds: ReadonlySet<string> | null;
  readonly includePerformance: boolean;
  readonly includeNeural: boolean;
  readonly includeTopology: boolean;
}

export interface ViewOptions {
  readonly serverIds?: readonly string[] | null | undefined;
  readonly serverTypes?: readonly McpServerType[] | null | undefined;
  /** Compared in lower case. */
  readonly agentTypes?: readonly string[] | null | undefined;
  readonly swarmIds?: readonly string[] | null | undefined;
  readonly includePerformance?: boolean;
  readonly includeNeural?: boolean;
  readonly includeTopology?: boolean;
}

export function createView(options: ViewOptions = {}): View {
  const serverIds = sorted(options.serverIds);
  const serverTypes = sorted(options.serverTypes);
  const agentTypes = sorted(options.agentTypes?.map((type) => type.toLowerCase()));
  const swarmIds = sorted(options.swarmIds);
  const { includePerformance = true, includeNeural = true, includeTopology = true } = options;
  return {
    key: JSON.stringify([
      serverIds,
      serverTypes,
      agentTypes,
      swarmIds,
      includePerformance,
      includeNeural,
      includeTopology,
    ]),
    serverIds: serverIds && new Set(serverIds),
    serverTypes: serverTypes && new Set(serverTypes),
    agentTypes: agentTypes && new Set(agentTypes),
    swarmIds: swarmIds && new Set(swarmIds),
    includePerformance,
    includeNeural,
    includeTopology,
  };
}

function sorted<T extends string>(values: readonly T[] | null | undefined): readonly T[] | null {
  return values == null ? null : [...new Set(values)].sort();
}

/** The view less what a viewer may not see: to everything after it, what was taken away does not exist. */
export function restrictView(view: View, restriction: Restriction): View {
  return createView({
    serverIds: common(view.serverIds, restriction.serverIds),
    serverTypes: common(view.serverTypes, restriction.serverTypes),
    agentTypes: common(view.agentTypes, restriction.agentTypes),
    swarmIds: common(view.swarmIds, restriction.swarmIds),
    includePerformance: view.includePerformance && restriction.performance,
    includeNeural: view.includeNeural && restriction.neural,
    includeTopology: view.includeTopology,
  });
}

function common<T>(wanted: ReadonlySet<T> | null, allowed: readonly T[] | null): readonly T[] | null {
  if (wanted === null) return allowed;
  return allowed === null ? [...wanted] : allowed.filter((value) => wanted.has(value));
}

/** What the filters of a view look at. */
export interface AgentKey {
  readonly serverId: string;
  readonly serverType: McpServerType;
  readonly type: string;
  readonly swarmId: string | null;
}

export function toAgentKey(agent: Agent): AgentKey {
  return { serverId: agent.serverId, serverType: agent.serverType, type: agent.type, swarmId: agent.swarmId };
}

export function agentKeysEqual(a: AgentKey, b: AgentKey): boolean {
  return a.serverType === b.serverType && a.type === b.type && a.swarmId === b.swarmId;
}

export function matchesAgent(view: View, key: AgentKey): boolean {
  return (
    (view.serverIds === null || view.serverIds.has(key.serverId)) &&
    (view.serverTypes === null || view.serverTypes.has(key.serverType)) &&
    (view.agentTypes === null || view.agentTypes.has(key.type)) &&
    (view.swarmIds === null || (key.swarmId !== null && view.swarmIds.has(key.swarmId)))
  );
}

/** Whether a server can have agents that the view lets through, as far as its families and its id tell. */
export function matchesServer(view: View, server: Pick<McpServer, 'id' | 'agentServerTypes'>): boolean {
  if (view.serverIds !== null && !view.serverIds.has(server.id)) return false;
  if (view.serverTypes !== null && !server.agentServerTypes.some((family) => view.serverTypes?.has(family)))
    return false;
  if (view.agentTypes?.size === 0) return false;
  if (view.swarmIds === null) return true;
  for (const swarmId of view.swarmIds) if (parseServerId(swarmId) === server.id) return true;
  return false;
}

/** Which parts of an agent a view lets through, as bits. */
export function includeMask(view: View): number {
  return (view.includePerformance ? 1 : 0) | (view.includeNeural ? 2 : 0) | (view.includeTopology ? 4 : 0);
}

const ALL_SWITCHES = 7;

const masked = Array.from({ length: ALL_SWITCHES }, () => new WeakMap<Agent, Agent>());

/** The agent less what the view leaves out: the same object whenever the same is left out. */
export function maskAgent(view: View, agent: Agent): Agent {
  const memory = masked[includeMask(view)];
  if (memory === undefined) return agent;
  let less = memory.get(agent);
  if (less === undefined) {
    less = {
      ...agent,
      performance: view.includePerformance ? agent.performance : null,
      neural: view.includeNeural ? agent.neural : null,
      topology: view.includeTopology ? agent.topology : null,
    };
    memory.set(agent, less);
  }
  return less;
}
