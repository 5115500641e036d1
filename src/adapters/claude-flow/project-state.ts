import { join } from 'node:path';
import type { ToolFailure } from '../../model/index.js';
import type { AdapterContext } from '../adapter.js';
import { collectProblems, settleAll } from '../polled-tool.js';
import { isObject } from '../responses/is-object.js';
import { expectObject, UnusableResponseError } from '../responses/parse-response.js';
import type { RecordReader, ResponseLocation } from '../responses/record-reader.js';
import { TaskList } from '../responses/task-list.js';
import {
  type ClaudeFlowAgent,
  type ClaudeFlowDaaAgent,
  type ClaudeFlowSwarm,
  type Hive,
  parseAgents,
  parseDaaAgents,
  parseStoredHive,
  parseStoredSwarms,
  readTasks,
  type StoredHive,
  TERMINATED,
} from './responses.js';
import type { ClaudeFlowState } from './state.js';
import { StateFile } from './state-file.js';

/** Directory of the state files in a project. */
const STATE_DIRECTORY = '.claude-flow';

const NO_TASKS = new TaskList([], true);

/**
 * State that claude-flow 3.x stores in its project. Reads the files, because tools of the server change them: each
 * `swarm_status` ends the swarms that the server considers abandoned.
 */
export class ProjectState {
  readonly directory: string;
  readonly #agents: StateFile<ClaudeFlowAgent[]>;
  /** Workers of the hive. */
  readonly #hiveAgents: StateFile<ClaudeFlowAgent[]>;
  readonly #swarms: StateFile<ClaudeFlowSwarm[]>;
  readonly #hive: StateFile<StoredHive | null>;
  readonly #tasks: StateFile<TaskList>;
  readonly #daaAgents: StateFile<ClaudeFlowDaaAgent[]>;
  readonly #files: readonly StateFile<unknown>[];

  /** @param directory absolute path of the project */
  constructor(directory: string, context: AdapterContext, records: RecordReader) {
    this.directory = directory;
    const open = <T>(path: string, absent: T, read: (content: unknown, file: string) => T): StateFile<T> => {
      const file = `${STATE_DIRECTORY}/${path}`;
      return new StateFile(context, records, {
        name: file,
        path: join(directory, file),
        absent,
        read: (content) => read(content, file),
      });
    };
    const readAgents = (content: unknown, file: string): ClaudeFlowAgent[] =>
      parseAgents(records, file, { agents: storedEntries(content, 'agents') });
    this.#agents = open<ClaudeFlowAgent[]>('agents/store.json', [], readAgents);
    this.#hiveAgents = open<ClaudeFlowAgent[]>('agents.json', [], readAgents);
    this.#swarms = open<ClaudeFlowSwarm[]>('swarm/swarm-state.json', [], (content, file) =>
      parseStoredSwarms(records, locate(file, 'swarms'), storedEntries(content, 'swarms')),
    );
    this.#hive = open<StoredHive | null>('hive-mind/state.json', null, (content, file) =>
      parseStoredHive(records, locate(file, 'hive'), content),
    );
    this.#tasks = open<TaskList>('tasks/store.json', NO_TASKS, (content, file) =>
      // The newest tasks come first, as in the list of the server.
      readTasks(records, locate(file, 'tasks'), storedEntries(content, 'tasks').toReversed(), true),
    );
    this.#daaAgents = open<ClaudeFlowDaaAgent[]>('daa/store.json', [], (content, file) =>
      parseDaaAgents(records, file, { agents: storedEntries(content, 'agents').map(flattenMetrics) }),
    );
    this.#files = [this.#agents, this.#hiveAgents, this.#swarms, this.#hive, this.#tasks, this.#daaAgents];
  }

  /** Whether the project has a state file. */
  get exists(): boolean {
    return this.#files.some((file) => file.exists);
  }

  /** Reads the files that have changed. */
  async refresh(signal: AbortSignal): Promise<void> {
    await settleAll(this.#files.map((file) => file.refresh(signal)));
  }

  /**
   * Returns whether the files list the same agents as the server. Null if that is unknown, because a file could not be read.
   * The server may store its state elsewhere, for example in a container.
   */
  agreesWith(listed: readonly ClaudeFlowAgent[]): boolean | null {
    if (this.#agents.current === null || this.#hiveAgents.current === null) return null;
    const ids = new Set(this.#livingAgents().map((agent) => agent.agentId));
    return ids.size === listed.length && listed.every((agent) => ids.has(agent.agentId));
  }

  /** Failure of a file that lists agents. Null if there is none. */
  get agentsFailure(): ToolFailure | null {
    return this.#agents.failure ?? this.#hiveAgents.failure;
  }

  toState(): ClaudeFlowState {
    return {
      agents: this.#livingAgents(),
      agentsAreStale: this.agentsFailure !== null,
      hive: this.#hiveWithWorkers(),
      hiveIsStale: this.#hive.failure !== null,
      daaAgents: this.#daaAgents.lastGood ?? [],
      daaAgentsAreStale: this.#daaAgents.failure !== null,
      swarms: this.#swarms.lastGood ?? [],
      swarmsAreStale: this.#swarms.failure !== null,
      tasks: this.#tasks.lastGood,
      tasksAreStale: this.#tasks.failure !== null,
      ...collectProblems(this.#files),
    };
  }

  /** Returns the agents as the server lists them: workers of the hive first, without terminated ones. */
  #livingAgents(): ClaudeFlowAgent[] {
    return [...this.#allAgents().values()].filter((agent) => agent.status !== TERMINATED);
  }

  /** Returns all agents by id. If both files contain an agent, its record in the main file takes precedence. */
  #allAgents(): ReadonlyMap<string, ClaudeFlowAgent> {
    const agents = [...(this.#hiveAgents.lastGood ?? []), ...(this.#agents.lastGood ?? [])];
    return new Map(agents.map((agent) => [agent.agentId, agent]));
  }

  #hiveWithWorkers(): Hive | null {
    const hive = this.#hive.lastGood;
    if (hive === null) return null;
    const { workerIds, ...rest } = hive;
    const agents = this.#allAgents();
    return {
      ...rest,
      workers: workerIds.map((id) => {
        const agent = agents.get(id);
        return { id, type: agent?.agentType ?? null, status: agent?.status ?? 'unknown' };
      }),
    };
  }
}

function locate(tool: string, path: string): ResponseLocation {
  return { tool, path };
}

/** Returns the values of an object of a state file, whose keys are ids. */
function storedEntries(content: unknown, key: string): readonly unknown[] {
  const entries = expectObject(content)[key];
  if (entries === undefined) return [];
  if (!isObject(entries)) throw new UnusableResponseError(`Unexpected content: ${key}: not an object`);
  return Object.values(entries);
}

function flattenMetrics(agent: unknown): unknown {
  return isObject(agent) && isObject(agent['metrics']) ? { ...agent['metrics'], ...agent } : agent;
}
