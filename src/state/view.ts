import {
  type Agent,
  type AgentMessage,
  type McpServer,
  type McpServerType,
  parseServerId,
  type Restriction,
  type Task,
} from '../model/index.js';

/** Kind of the items that a reader receives. */
export type ViewSubject = 'agents' | 'tasks';

/**
 * Filters and included parts that one reader requested. An item must match every filter. A filter that is null matches
 * everything, an empty one nothing.
 */
export interface View {
  /** Key that is equal for equal views. */
  readonly key: string;
  readonly subject: ViewSubject;
  readonly serverIds: ReadonlySet<string> | null;
  readonly serverTypes: ReadonlySet<McpServerType> | null;
  readonly agentTypes: ReadonlySet<string> | null;
  readonly swarmIds: ReadonlySet<string> | null;
  /** Ids of the agents that tasks are assigned to. Null in a view of agents. */
  readonly agentIds: ReadonlySet<string> | null;
  readonly includePerformance: boolean;
  readonly includeNeural: boolean;
  readonly includeTopology: boolean;
}

export interface ViewOptions {
  /** @default 'agents' */
  readonly subject?: ViewSubject;
  readonly serverIds?: readonly string[] | null | undefined;
  readonly serverTypes?: readonly McpServerType[] | null | undefined;
  /** Agent types, compared in lower case. */
  readonly agentTypes?: readonly string[] | null | undefined;
  readonly swarmIds?: readonly string[] | null | undefined;
  readonly agentIds?: readonly string[] | null | undefined;
  readonly includePerformance?: boolean;
  readonly includeNeural?: boolean;
  readonly includeTopology?: boolean;
}

export function createView(options: ViewOptions = {}): View {
  const serverIds = sortUnique(options.serverIds);
  const serverTypes = sortUnique(options.serverTypes);
  const agentTypes = sortUnique(options.agentTypes?.map((type) => type.toLowerCase()));
  const swarmIds = sortUnique(options.swarmIds);
  const agentIds = sortUnique(options.agentIds);
  const { subject = 'agents', includePerformance = true, includeNeural = true, includeTopology = true } = options;
  return {
    key: JSON.stringify([
      serverIds,
      serverTypes,
      agentTypes,
      swarmIds,
      includePerformance,
      includeNeural,
      includeTopology,
      ...(subject === 'agents' ? [] : [subject, agentIds]),
    ]),
    subject,
    serverIds: serverIds && new Set(serverIds),
    serverTypes: serverTypes && new Set(serverTypes),
    agentTypes: agentTypes && new Set(agentTypes),
    swarmIds: swarmIds && new Set(swarmIds),
    agentIds: agentIds && new Set(agentIds),
    includePerformance,
    includeNeural,
    includeTopology,
  };
}

function sortUnique<T extends string>(values: readonly T[] | null | undefined): readonly T[] | null {
  return values == null ? null : [...new Set(values)].sort();
}

/** Returns the view limited to what a restriction allows. */
export function restrictView(view: View, restriction: Restriction): View {
  return createView({
    subject: view.subject,
    agentIds: view.agentIds && [...view.agentIds],
    serverIds: intersect(view.serverIds, restriction.serverIds),
    serverTypes: intersect(view.serverTypes, restriction.serverTypes),
    agentTypes: intersect(view.agentTypes, restriction.agentTypes),
    swarmIds: intersect(view.swarmIds, restriction.swarmIds),
    includePerformance: view.includePerformance && restriction.performance,
    includeNeural: view.includeNeural && restriction.neural,
    includeTopology: view.includeTopology,
  });
}

function intersect<T>(requested: ReadonlySet<T> | null, allowed: readonly T[] | null): readonly T[] | null {
  if (requested === null) return allowed;
  return allowed === null ? [...requested] : allowed.filter((value) => requested.has(value));
}

/** Filter key of an agent: the values that filters compare. */
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

/** Filter key of a task: the values that filters compare. */
export type TaskKey = Pick<Task, 'serverId' | 'serverType' | 'swarmId' | 'agentIds'>;

export function toTaskKey({ serverId, serverType, swarmId, agentIds }: Task): TaskKey {
  return { serverId, serverType, swarmId, agentIds };
}

export function taskKeysEqual(a: TaskKey, b: TaskKey): boolean {
  return a.serverType === b.serverType && a.swarmId === b.swarmId && listsEqual(a.agentIds, b.agentIds);
}

export function listsEqual(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a === b || (a.length === b.length && a.every((value, index) => value === b[index]));
}

export function matchesTask({ serverIds, serverTypes, swarmIds, agentIds }: View, key: TaskKey): boolean {
  return (
    (serverIds === null || serverIds.has(key.serverId)) &&
    (serverTypes === null || serverTypes.has(key.serverType)) &&
    (swarmIds === null || (key.swarmId !== null && swarmIds.has(key.swarmId))) &&
    (agentIds === null || key.agentIds.some((id) => agentIds.has(id)))
  );
}

export function matchesMessage(
  { serverTypes, swarmIds }: View,
  message: Pick<AgentMessage, 'serverType' | 'swarmId'>,
): boolean {
  return (
    (serverTypes === null || serverTypes.has(message.serverType)) &&
    (swarmIds === null || (message.swarmId !== null && swarmIds.has(message.swarmId)))
  );
}

/** Returns whether a server can have items that match the view, judged by its id and its server types. */
export function matchesServer(view: View, server: Pick<McpServer, 'id' | 'agentServerTypes'>): boolean {
  if (view.serverIds !== null && !view.serverIds.has(server.id)) return false;
  if (view.serverTypes !== null && !server.agentServerTypes.some((serverType) => view.serverTypes?.has(serverType)))
    return false;
  if (view.agentTypes?.size === 0) return false;
  return [view.swarmIds, view.agentIds].every((ids) => ids === null || serversOf(ids).has(server.id));
}

const serversOfIds = new WeakMap<ReadonlySet<string>, ReadonlySet<string | null>>();

/** Returns the ids of the servers of items. Computed once per filter, because every tick and every poll reads it. */
function serversOf(ids: ReadonlySet<string>): ReadonlySet<string | null> {
  let serverIds = serversOfIds.get(ids);
  if (serverIds === undefined) {
    serverIds = new Set([...ids].map(parseServerId));
    serversOfIds.set(ids, serverIds);
  }
  return serverIds;
}

/** Returns whether a view shows all possible agents of a server. */
export function showsAllAgentsOf(view: View, { agentServerTypes }: Pick<McpServer, 'agentServerTypes'>): boolean {
  const { serverTypes, agentTypes, swarmIds } = view;
  return agentTypes === null && swarmIds === null && agentServerTypes.every((type) => serverTypes?.has(type) ?? true);
}

/** Returns whether a view shows everything that the tools of a server can return. */
export function showsToolResultsOf(view: View, server: Pick<McpServer, 'id' | 'agentServerTypes'>): boolean {
  return matchesServer(view, server) && showsAllAgentsOf(view, server) && view.includePerformance && view.includeNeural;
}

/** Returns the included parts of a view as bits. */
export function includeMask(view: View): number {
  return (view.includePerformance ? 1 : 0) | (view.includeNeural ? 2 : 0) | (view.includeTopology ? 4 : 0);
}

const FULL_MASK = 7;

const maskedAgents = Array.from({ length: FULL_MASK }, () => new WeakMap<Agent, Agent>());
/** View through which each masked agent was masked. */
const viewsOfMasked = new WeakMap<Agent, View>();

/** Returns the agent without the parts that the view excludes. The same object for equal excluded parts. */
export function maskAgent(view: View, agent: Agent): Agent {
  const cache = maskedAgents[includeMask(view)];
  if (cache === undefined) return agent;
  let result = cache.get(agent);
  if (result === undefined) {
    result = {
      ...agent,
      usage: view.includePerformance ? agent.usage : null,
      context: view.includePerformance ? agent.context : null,
      performance: view.includePerformance ? agent.performance : null,
      neural: view.includeNeural ? agent.neural : null,
      topology: view.includeTopology ? agent.topology : null,
    };
    cache.set(agent, result);
    viewsOfMasked.set(result, view);
  }
  return result;
}

/** Returns the agent without the parts that `like` lacks because its view excludes them. */
export function includeSameParts(like: Agent, agent: Agent): Agent {
  const view = viewsOfMasked.get(like);
  return view === undefined ? agent : maskAgent(view, agent);
}
