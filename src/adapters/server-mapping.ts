import type { AgentStatus, NeuralField, PerformanceField, TaskStatus } from '../model/index.js';

/** Parsed mapping of a server of type `CUSTOM`: how its answers become agents, swarms, tasks and edges. */
export interface ServerMapping {
  /** Sources of agents. The first one is the server's main list. Empty if the server has only tasks. */
  readonly agents: readonly AgentSource[];
  readonly swarms: SwarmSource | null;
  /** The first source is the server's main list if there are no agents. @default none */
  readonly tasks?: readonly TaskSource[];
  /** @default none */
  readonly edges?: readonly EdgeSource[];
}

/** Request whose answer contains entries: a tool call or the reading of a resource. */
export interface MappedRequest {
  /** Name of the tool, or URI of the resource. */
  readonly tool: string;
  /** @default false */
  readonly isResource?: boolean;
  /** Arguments of the tool. */
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** Entries in the answer to a request. */
export interface ListSource extends MappedRequest {
  /** Path of the source in the configuration, below the server's `swarmlens`, such as `mapping.agents`. */
  readonly place: string;
  /**
   * Shape of the value at `path`: an array of entries, an object whose values are entries, a single entry, or a text whose parts
   * match `pattern`.
   */
  readonly shape: 'list' | 'map' | 'one' | 'pattern';
  readonly path: ValuePath;
  /** Pattern whose matches are the entries of a text. Omitted for other shapes. */
  readonly pattern?: string;
  /** Conditions that all entries must meet. @default none */
  readonly where?: readonly Condition[];
  /** Answers and errors that mean that there are no entries. @default none */
  readonly empty?: readonly EmptyRule[];
  /** Pagination of the answer. Omitted if it is complete. */
  readonly pages?: Pagination;
}

/** Source of agents, swarms, tasks or edges. */
export interface EntrySource extends ListSource {
  /** @default none */
  readonly joins?: readonly JoinSource[];
  readonly detail?: DetailSource;
}

export interface AgentSource extends EntrySource {
  readonly fields: FieldSources<MappedAgentField, 'id'>;
  /** Agent statuses by the server's own status words in lower case. */
  readonly statuses: ReadonlyMap<string, AgentStatus>;
}

export interface SwarmSource extends EntrySource {
  readonly fields: FieldSources<MappedSwarmField, 'id'>;
}

export interface TaskSource extends EntrySource {
  readonly fields: FieldSources<MappedTaskField, 'id'>;
  /** Task statuses by the server's own status words in lower case. */
  readonly statuses: ReadonlyMap<string, TaskStatus>;
}

export interface EdgeSource extends EntrySource {
  readonly fields: FieldSources<MappedEdgeField, 'from' | 'to'>;
}

/** Pagination by cursors. */
export interface Pagination {
  /** Path of the cursor of the next page in the answer. */
  readonly cursor: ValuePath;
  /** Argument that receives the cursor. */
  readonly argument: string;
  readonly max: number;
}

/** Second list whose entries belong to the entries of a source. */
export interface JoinSource extends ListSource {
  /** Name by which fields refer to the joined entry. */
  readonly name: string;
  /** Field of the joined entry that contains the id. */
  readonly on: FieldSource;
  /** Field of the entry that contains the same id. */
  readonly to: FieldSource;
}

/** Request for each entry of a source. Its tool and arguments contain templates. */
export interface DetailSource extends MappedRequest {
  readonly place: string;
  /** Maximum number of entries with a request. */
  readonly max: number;
  /** Templates of texts with placeholders in the tool and the arguments, by text. */
  readonly templates: ReadonlyMap<string, Template>;
}

/** Condition for the value of a field. */
export interface Condition {
  readonly field: FieldSource;
  /** Texts of which the value must be one. Null if the value must only exist. */
  readonly values: ReadonlySet<string> | null;
  readonly isNegated: boolean;
}

/** Answer or error that means that there are no entries. */
export type EmptyRule =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'pattern'; readonly pattern: string }
  | { readonly kind: 'where'; readonly where: readonly Condition[] };

/** Path of a value in an answer or entry. */
export interface ValuePath {
  /** Text of the path in the configuration. */
  readonly text: string;
  /** Keys from the outside in. Null stands for each entry of a list or object. Empty for the whole value. */
  readonly keys: readonly (string | null)[];
}

/** Path that begins at an entry, or at something that belongs to it. */
export interface EntryPath extends ValuePath {
  /** Start of the path: the entry, the whole answer, the answer for the entry, or the joined entry of this name. @default 'entry' */
  readonly base?: 'entry' | 'root' | 'detail' | { readonly join: string };
  /** Number of enclosing objects to go up from the entry. @default 0 */
  readonly up?: number;
}

/** Text with placeholders. */
export interface Template {
  readonly text: string;
  readonly parts: readonly (string | FieldSource)[];
}

/**
 * Source of a field's value: a path, the key of an entry in an object, a constant, a text with placeholders, or the first of
 * several sources that has a value.
 */
export type FieldSource =
  | {
      readonly from: 'path';
      readonly path: EntryPath;
      readonly scale: number;
      /** Pattern whose first match in the text, or in the texts of a list, is the value. @default the whole value */
      readonly pattern?: string;
      /** Whether the value is the list of all matches. @default false */
      readonly hasAllMatches?: boolean;
    }
  | { readonly from: 'key'; readonly up?: number }
  | { readonly from: 'value'; readonly value: unknown }
  | { readonly from: 'template'; readonly template: Template }
  | { readonly from: 'first'; readonly sources: readonly FieldSource[] };

export type FieldSources<F extends string, R extends F> = Readonly<Partial<Record<F, FieldSource>>> &
  Readonly<Record<R, FieldSource>>;

export type MappedAgentField =
  | 'id'
  | 'name'
  | 'type'
  | 'status'
  | 'swarmId'
  | 'parentId'
  | 'title'
  | 'workspace'
  | 'role'
  | 'model'
  | 'currentTaskId'
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

export type MappedTaskField =
  'id' | 'title' | 'status' | 'swarmId' | 'agentIds' | 'dependsOnIds' | 'createdAt' | 'startedAt' | 'endedAt';

export type MappedEdgeField = 'from' | 'to' | 'relation' | 'swarmId';
