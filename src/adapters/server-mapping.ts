import type { AgentStatus, NeuralField, PerformanceField } from '../model/index.js';

/** Parsed mapping of a server of type `CUSTOM`: how its tool responses become agents and swarms. */
export interface ServerMapping {
  /** Sources of agents, at least one. The first one is the server's main list. */
  readonly agents: readonly AgentSource[];
  readonly swarms: SwarmSource | null;
}

/** Tool whose response contains entries, and their path. */
export interface EntrySource {
  /** Path of the source in the configuration, below the server's `swarmlens`, such as `mapping.agents`. */
  readonly place: string;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Shape of the value at `path`: an array of entries, an object whose values are entries, or a single entry. */
  readonly shape: 'list' | 'map' | 'one';
  readonly path: ValuePath;
}

export interface AgentSource extends EntrySource {
  readonly fields: FieldSources<MappedAgentField>;
  /** Agent statuses by the server's own status words in lower case. */
  readonly statuses: ReadonlyMap<string, AgentStatus>;
}

export interface SwarmSource extends EntrySource {
  readonly fields: FieldSources<MappedSwarmField>;
}

/** Path of a value in a response or entry. */
export interface ValuePath {
  /** Text of the path in the configuration. */
  readonly text: string;
  /** Keys from the outside in. Empty for the whole value. */
  readonly keys: readonly string[];
}

/** Source of a field's value: a path in the entry, the entry's key in a `map`, or a constant of the configuration. */
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
  /** Ids of the members, for servers whose agents do not report their swarm. */
  | 'agentIds';
