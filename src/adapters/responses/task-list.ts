import type { McpServerType, ReportedTask, TaskStatus } from '../../model/index.js';
import { createReportedTask } from './report-builders.js';
import { parseTaskStatus } from './task-status.js';

/** Maximum number of tasks of a list that only observed calls extend, because no poll replaces it if there is no list tool. */
const MAX_OBSERVED_TASKS = 1_000;

/** Task of a server, or an update of one. Null values are unknown. */
export interface TaskRecord {
  /** Id of the task. Null if the list contains no ids; such a task is counted, but not reported. */
  readonly id: string | null;
  /** Status in the server's own words. */
  readonly status: string | null;
  /** Native ids of the assigned agents, without duplicates. */
  readonly assignees: readonly string[] | null;
  readonly title: string | null;
  readonly swarmId: string | null;
  /** Native ids of the tasks that must end before this one starts. */
  readonly dependsOn: readonly string[] | null;
  readonly createdAt: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
}

/** Creates a record from its known values. */
export function createTaskRecord(known: Partial<TaskRecord>): TaskRecord {
  return {
    id: null,
    status: null,
    assignees: null,
    title: null,
    swarmId: null,
    dependsOn: null,
    createdAt: null,
    startedAt: null,
    endedAt: null,
    ...known,
  };
}

export interface TaskCounts {
  readonly active: number;
  readonly completed: number;
  readonly failed: number;
}

/** Counters by status. Pending, blocked and canceled tasks are not counted. */
const COUNTERS: Readonly<Partial<Record<TaskStatus, keyof TaskCounts>>> = {
  IN_PROGRESS: 'active',
  COMPLETED: 'completed',
  FAILED: 'failed',
};

const NO_TASKS: TaskCounts = { active: 0, completed: 0, failed: 0 };

/** Tasks of a server. Counts the tasks of each agent if the list is complete. */
export class TaskList {
  readonly #tasks: readonly TaskRecord[];
  readonly #isComplete: boolean;
  readonly #counts = new Map<string, TaskCounts>();
  /** Reports by staleness. The same list has the same report, so that an unchanged report is recognized by its identity. */
  readonly #reports = new Map<boolean, readonly ReportedTask[]>();

  /** @param isComplete whether the list contains all tasks with their assignees. Otherwise, nothing can be counted */
  constructor(tasks: readonly TaskRecord[], isComplete: boolean) {
    this.#tasks = tasks;
    this.#isComplete = isComplete;
    for (const { status, assignees } of tasks) {
      const counter = COUNTERS[parseTaskStatus(status)];
      if (counter === undefined) continue;
      for (const agent of assignees ?? []) {
        const counts = this.#counts.get(agent) ?? NO_TASKS;
        this.#counts.set(agent, { ...counts, [counter]: counts[counter] + 1 });
      }
    }
  }

  /** Returns the counts of an agent, which are 0 for an agent without tasks. Null if the list is incomplete. */
  countsFor(nativeId: string): TaskCounts | null {
    return this.#isComplete ? (this.#counts.get(nativeId) ?? NO_TASKS) : null;
  }

  /** Returns a list with one task added at the start or updated. Unknown values of the update stay unchanged. */
  withTask(update: TaskRecord): TaskList {
    const index = this.#tasks.findIndex((task) => task.id === update.id);
    if (index !== -1)
      return new TaskList(this.#tasks.with(index, mergeTask(update, this.#tasks[index])), this.#isComplete);
    const maxTasks = Math.max(MAX_OBSERVED_TASKS, this.#tasks.length);
    return new TaskList([update, ...this.#tasks].slice(0, maxTasks), this.#isComplete);
  }

  /**
   * Returns the list with the values that only earlier responses contained, such as a title that only the creating call
   * reported. The time of an end is kept while the status is the same.
   */
  withKnownValues(previous: TaskList | null): TaskList {
    if (previous === null) return this;
    const known = new Map(previous.#tasks.map((task) => [task.id, task]));
    const tasks = this.#tasks.map((task) => {
      const before = task.id === null ? undefined : known.get(task.id);
      if (before === undefined) return task;
      const endedAt = before.status === task.status ? before.endedAt : null;
      return mergeTask(task, { ...before, endedAt });
    });
    return new TaskList(tasks, this.#isComplete);
  }

  /** Returns the tasks with an id for a report. */
  report(serverType: McpServerType, stale: boolean): readonly ReportedTask[] {
    let report = this.#reports.get(stale);
    if (report === undefined) {
      report = this.#tasks.flatMap(({ id, status, assignees, title, swarmId, dependsOn, ...times }) =>
        id === null
          ? []
          : createReportedTask({
              nativeId: id,
              serverType,
              swarmNativeId: swarmId,
              title,
              status: parseTaskStatus(status),
              agentNativeIds: assignees ?? [],
              dependsOnNativeIds: dependsOn ?? [],
              ...times,
              stale,
            }),
      );
      this.#reports.set(stale, report);
    }
    return report;
  }
}

function mergeTask(task: TaskRecord, previous: TaskRecord | undefined): TaskRecord {
  const known = Object.entries(task).filter(([, value]) => value !== null);
  // The entries are those of a record.
  return previous === undefined ? task : { ...previous, ...(Object.fromEntries(known) as Partial<TaskRecord>) };
}
