/** One task, as far as its agents are concerned. */
export interface AssignedTask {
  /** Lower case. */
  readonly status: string | null;
  /** Native ids of agents, each once. */
  readonly assignees: readonly string[];
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
export class TaskTally {
  readonly #counts = new Map<string, TaskCounts>();

  constructor(tasks: Iterable<AssignedTask>) {
    for (const { status, assignees } of tasks) {
      const phase = status === null ? undefined : PHASES.get(status);
      if (phase === undefined) continue;
      for (const agent of assignees) {
        const counts = this.of(agent);
        this.#counts.set(agent, { ...counts, [phase]: counts[phase] + 1 });
      }
    }
  }

  /** An agent that no task names has none. */
  of(nativeId: string): TaskCounts {
    return this.#counts.get(nativeId) ?? NO_TASKS;
  }
}
