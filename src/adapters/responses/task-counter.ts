import { normalizeStatus } from './agent-status.js';

/** Status and assignees of one task. */
export interface AssignedTask {
  /** Id of the task. Null if the list contains no ids. */
  readonly id: string | null;
  /** Status in lower case. Null if unknown. */
  readonly status: string | null;
  /** Native ids of the assigned agents, without duplicates. */
  readonly assignees: readonly string[];
}

/** Update of one task. Null values are unknown. */
export interface TaskUpdate {
  readonly id: string;
  readonly status: string | null;
  readonly assignees: readonly string[] | null;
}

export interface TaskCounts {
  readonly active: number;
  readonly completed: number;
  readonly failed: number;
}

/** Counters by task status without separators. Assigned, waiting and canceled tasks are not counted. */
const PHASES: ReadonlyMap<string, keyof TaskCounts> = new Map([
  ['active', 'active'],
  ['executing', 'active'],
  ['inprogress', 'active'],
  ['orchestrated', 'active'],
  ['running', 'active'],
  ['working', 'active'],
  ['complete', 'completed'],
  ['completed', 'completed'],
  ['done', 'completed'],
  ['finished', 'completed'],
  ['succeeded', 'completed'],
  ['success', 'completed'],
  ['error', 'failed'],
  ['failed', 'failed'],
]);

const NO_TASKS: TaskCounts = { active: 0, completed: 0, failed: 0 };

/** Counts the tasks of each agent. Requires a complete list of tasks. */
export class TaskCounter {
  readonly #tasks: readonly AssignedTask[];
  readonly #counts = new Map<string, TaskCounts>();

  constructor(tasks: readonly AssignedTask[]) {
    this.#tasks = tasks;
    for (const { status, assignees } of tasks) {
      const phase = status === null ? undefined : PHASES.get(normalizeStatus(status));
      if (phase === undefined) continue;
      for (const agent of assignees) {
        const counts = this.countsFor(agent);
        this.#counts.set(agent, { ...counts, [phase]: counts[phase] + 1 });
      }
    }
  }

  /** Returns the counts of an agent, which are 0 for an agent without tasks. */
  countsFor(nativeId: string): TaskCounts {
    return this.#counts.get(nativeId) ?? NO_TASKS;
  }

  /** Returns a counter with one task updated. Unknown values of the update stay unchanged. */
  withTask({ id, status, assignees }: TaskUpdate): TaskCounter {
    const previous = this.#tasks.find((task) => task.id === id);
    const task: AssignedTask = {
      id,
      status: status ?? previous?.status ?? null,
      assignees: assignees ?? previous?.assignees ?? [],
    };
    return new TaskCounter([...this.#tasks.filter((entry) => entry !== previous), task]);
  }
}
