import { setBounded } from '../input/bounded-map.js';
import { type JsonObject, listAt, objectAt, textAt } from '../input/json-fields.js';
import { type ShownText, toName, toTitle } from '../input/shown-text.js';
import { toTaskStatus } from '../input/task-status.js';
import type { TranscriptState, TranscriptTask } from './transcript-state.js';

const MAX_TASKS = 500;
const MAX_DEPENDENCIES = 100;
const MAX_ID_LENGTH = 100;

/** Records a call of a tool that changes tasks. A new task has no id before the result of its call. */
export function recordTaskCall(
  state: TranscriptState,
  callId: string,
  tool: string,
  input: JsonObject | null,
  at: string | null,
  shown: ShownText,
): void {
  if (tool === 'TaskCreate') {
    setBounded(state.taskCreations, callId, toTitle(textAt(input, 'subject'), shown), MAX_TASKS);
  } else if (tool === 'TaskUpdate') {
    updateTask(state, input, at, shown);
  } else if (tool === 'TodoWrite') {
    state.todos = parseTodos(listAt(input, 'todos'), shown);
  }
}

/** Applies the result of a call that created a task. */
export function applyTaskResult(state: TranscriptState, callId: string, details: unknown, at: string | null): void {
  const title = state.taskCreations.get(callId);
  if (title === undefined) return;
  state.taskCreations.delete(callId);
  const id = toTaskId(objectAt(details, 'task'));
  if (id === null || state.tasks.has(id)) return;
  const task: TranscriptTask = { ...EMPTY_TASK, id, title, createdAt: at, changedAt: at };
  setBounded(state.tasks, id, task, MAX_TASKS);
}

/** Parses a list of todos, which have no ids but their positions. */
export function parseTodos(todos: readonly unknown[], shown: ShownText): readonly TranscriptTask[] {
  return todos.slice(0, MAX_TASKS).map((todo, index) => ({
    ...EMPTY_TASK,
    id: `todo-${index + 1}`,
    title: toTitle(textAt(todo, 'content'), shown),
    status: toTaskStatus(textAt(todo, 'status')),
  }));
}

/** Returns the id of a task, which is a number or a text. */
export function toTaskId(task: JsonObject | null): string | null {
  const id = task?.['id'];
  return typeof id === 'number' ? String(id) : typeof id === 'string' && id !== '' ? id.slice(0, MAX_ID_LENGTH) : null;
}

/** Returns the ids in a list of ids of tasks. */
export function toTaskIds(list: readonly unknown[]): readonly string[] {
  return list.slice(0, MAX_DEPENDENCIES).flatMap((id) => toTaskId({ id }) ?? []);
}

const EMPTY_TASK: Omit<TranscriptTask, 'id'> = {
  title: null,
  status: 'pending',
  owner: null,
  blockedBy: [],
  createdAt: null,
  startedAt: null,
  endedAt: null,
  changedAt: null,
};

function updateTask(state: TranscriptState, input: JsonObject | null, at: string | null, shown: ShownText): void {
  const id = toTaskId({ id: input?.['taskId'] });
  if (id === null) return;
  const word = textAt(input, 'status');
  if (word === 'deleted') {
    state.tasks.delete(id);
    return;
  }
  const previous = state.tasks.get(id) ?? { ...EMPTY_TASK, id };
  const status = word === null ? previous.status : toTaskStatus(word);
  const added = toTaskIds(listAt(input, 'addBlockedBy'));
  const task: TranscriptTask = {
    ...previous,
    status,
    title: toTitle(textAt(input, 'subject'), shown) ?? previous.title,
    owner: toName(textAt(input, 'owner')) ?? previous.owner,
    blockedBy: [...new Set([...previous.blockedBy, ...added])].slice(0, MAX_DEPENDENCIES),
    startedAt: status === 'in_progress' ? (previous.startedAt ?? at) : previous.startedAt,
    endedAt: status === 'completed' ? (previous.endedAt ?? at) : null,
    changedAt: at,
  };
  setBounded(state.tasks, id, task, MAX_TASKS);
}
