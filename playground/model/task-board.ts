import type { Agent, Task, TaskStatus } from '@swarmlens/client';
import type { AgentFilter } from './view-state.js';

/** Column of the board of tasks. */
export interface TaskColumn {
  readonly title: string;
  readonly statuses: readonly TaskStatus[];
  /** First tasks of the column. */
  readonly tasks: readonly Task[];
  /** Number of all tasks of the column. */
  readonly total: number;
}

export interface TaskBoard {
  readonly columns: readonly TaskColumn[];
  /** Number of tasks that match the filters. */
  readonly matching: number;
  readonly total: number;
}

const COLUMNS: readonly { readonly title: string; readonly statuses: readonly TaskStatus[] }[] = [
  { title: 'Pending', statuses: ['PENDING'] },
  { title: 'In progress', statuses: ['IN_PROGRESS'] },
  { title: 'Blocked', statuses: ['BLOCKED'] },
  { title: 'Completed', statuses: ['COMPLETED'] },
  { title: 'Failed or canceled', statuses: ['FAILED', 'CANCELED'] },
  { title: 'Unknown status', statuses: ['UNKNOWN'] },
];

/** Maximum number of shown tasks per column, limited by the browser's layout time. */
const MAX_TASKS = 100;

/**
 * Arranges tasks by status, the newest first. The filters by server type and swarm apply to tasks, the filter by type to their
 * agents, and the search to titles, ids and agents.
 */
export function buildTaskBoard(
  tasks: ReadonlyMap<string, Task>,
  agents: ReadonlyMap<string, Agent>,
  filter: AgentFilter,
): TaskBoard {
  const all = [...tasks.values()];
  const matching = all.filter((task) => matchesFilter(task, agents, filter));
  const columns = COLUMNS.map(({ title, statuses }) => {
    const own = matching.filter(({ status }) => statuses.includes(status)).sort(compareTasks);
    return { title, statuses, tasks: own.slice(0, MAX_TASKS), total: own.length };
  });
  return {
    // Unknown statuses are an exception, and their column is shown only then.
    columns: columns.filter(({ statuses, total }) => total > 0 || !statuses.includes('UNKNOWN')),
    matching: matching.length,
    total: all.length,
  };
}

/** Returns the tasks of an agent: those that are assigned to it, open ones first. */
export function listTasksOf(agentId: string, tasks: ReadonlyMap<string, Task>): readonly Task[] {
  const order = (task: Task): number => COLUMNS.findIndex(({ statuses }) => statuses.includes(task.status));
  return [...tasks.values()]
    .filter(({ agentIds }) => agentIds.includes(agentId))
    .sort((a, b) => order(a) - order(b) || compareTasks(a, b));
}

function matchesFilter(task: Task, agents: ReadonlyMap<string, Agent>, filter: AgentFilter): boolean {
  const { serverTypes, agentTypes, swarmIds, search } = filter;
  const assigned = task.agentIds.flatMap((id) => agents.get(id) ?? []);
  const text = search.trim().toLowerCase();
  const texts = [task.title, task.id, ...task.agentIds, ...assigned.map(({ name }) => name)];
  return (
    (serverTypes.length === 0 || serverTypes.includes(task.serverType)) &&
    (swarmIds.length === 0 || (task.swarmId !== null && swarmIds.includes(task.swarmId))) &&
    (agentTypes.length === 0 || assigned.some(({ type }) => agentTypes.includes(type))) &&
    (text === '' || texts.some((value) => value?.toLowerCase().includes(text) === true))
  );
}

function compareTasks(a: Task, b: Task): number {
  const difference = timeOf(b) - timeOf(a);
  return difference === 0 ? a.id.localeCompare(b.id, 'en', { numeric: true }) : difference;
}

/** Returns the last known time of a task, in milliseconds since the epoch. 0 if none is known. */
function timeOf({ endedAt, startedAt, createdAt }: Task): number {
  const ms = Date.parse(endedAt ?? startedAt ?? createdAt ?? '');
  return Number.isNaN(ms) ? 0 : ms;
}
