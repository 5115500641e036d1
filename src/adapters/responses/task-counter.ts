/** One task, as far as its agents are concerned. */
export interface AssignedTask {
  /** `null` where the list does not tell its tasks apart. */
  readonly id: string | null;
  /** Lower case. */
  readonly status: string | null;
  /** Native ids of agents, each once. */
  readonly assignees: readonly string[];
}

/** What is told of one task alone; `null`: that is not told. */
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

/** What is merely assigned or waits is not being worked on, and what was cancelled has neither failed nor ended well. */
const PHASES: ReadonlyMap<string, keyof TaskCounts> = new Map([
  ['active', 'active'],
  ['executing', 'active'],
  ['in_progress', 'active'],
  ['inprogress', 'active'],
  ['orchestrated', 'active'],
  ['running', 'active'],
  ['completed', 'completed'],
  ['done', 'completed'],
  ['succeeded', 'completed'],
  ['success', 'completed'],
  ['error', 'failed'],
  ['failed', 'failed'],
]);

const NO_TASKS: TaskCounts = { active: 0, completed: 0, failed: 0 };

/** Counts the tasks of each agent. Only of use with a complete list. */
export class TaskCounter {
  readonly #tasks: readonly AssignedTask[];
  readonly #counts = new Map<string, TaskCounts>();

  constructor(tasks: readonly AssignedTask[]) {
    this.#tasks = tasks;
    for (const { status, assignees } of tasks) {
      const phase = status === null ? undefined : PHASES.get(status);
      if (phase === undefined) continue;
      for (const agent of assignees) {
        const counts = this.countsFor(agent);
        this.#counts.set(agent, { ...counts, [phase]: counts[phase] + 1 });
      }
    }
  }

  /** An agent that no task names has none. */
  countsFor(nativeId: string): TaskCounts {
    return this.#counts.get(nativeId) ?? NO_TASKS;
  }

  /** The tally with one task as it is told; of what is not told, as it was. */
  withTask({ id, status, assignees }: TaskUpdate): TaskCounter {
    const known = this.#tasks.find((task) => task.id === id);
    const task: AssignedTask = {
      id,
      status: status ?? known?.status ?? null,
      assignees: assignees ?? known?.assignees ?? [],
    };
    return new TaskCounter([...this.#tasks.filter((one) => one !== known), task]);
  }
}
