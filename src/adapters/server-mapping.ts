import type { AgentStatus, NeuralField, PerformanceField } from '../model/index.js';

/** How the agents of a server that nobody here knows are read from its tools' answers. As in the configuration, parsed. */
export interface ServerMapping {
  /** At least one; the first is the server's main list. */
  readonly agents: readonly AgentSource[];
  readonly swarms: SwarmSource | null;
}

/** One tool, and where in its answer the entries stand. */
export interface EntrySource {
  /** Where it stands in the configuration, below the server's `swarmlens`: `mapping.agents`. */
  readonly place: string;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** `list`: an array of entries; `map`: an object whose values are; `one`: a single entry. */
  readonly shape: 'list' | 'map' | 'one';
  readonly path: ValuePath;
}

export interface AgentSource extends EntrySource {
  readonly fields: FieldSources<MappedAgentField>;
  /** Of the server's own words, in lower case. */
  readonly statuses: ReadonlyMap<string, AgentStatus>;
}

export interface SwarmSource extends EntrySource {
  readonly fields: FieldSources<MappedSwarmField>;
}

export interface ValuePath {
  /** As it is written in the configuration. */
  readonly text: string;
  /** From the outside in; none: the thing itself. */
  readonly keys: readonly string[];
}

/** Where a field's value comes from: a path in the entry, the entry's key in a `map`, or the configuration itself. */
export type FieldSource =
  | { readonly from: 'path'; readonly path: ValuePath; readonly scale: number }
  | { readonly from: 'key' }
  | { readonly from: 'value'; readonly value: unknown };

export type FieldSources<F extends string> = Readonly<Partial<Record<F, FieldSource>>> & { readonly id: FieldSource };

export type MappedAgentField =
  | 'id'
  | 'name'
  | 'type'
  | 'status'
  | 'swarmId'
  | 'role'
  | 'capabilities'
  | 'createdAt'
  | 'lastActiveAt'
  | PerformanceField
  | NeuralField;

export type MappedSwarmField =
  | 'id'
  | 'name'
  | 'status'
  | 'topology'
  | 'strategy'
  | 'maxAgents'
  | 'tasksTotal'
  | 'tasksActive'
  | 'tasksCompleted'
  | 'createdAt'
  /** The ids of its members, for servers whose agents do not say where they belong. */
  | 'agentIds';
