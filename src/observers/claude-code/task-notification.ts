import { hashText } from '../input/hash-text.js';

/** Length of the part of a notification that contains its ids and its status. */
const MAX_HEAD_LENGTH = 4_096;

/** End of a background agent as its parent is notified about it. */
export interface TaskNotification {
  readonly taskId: string;
  readonly status: AgentEndStatus;
  readonly hash: number;
}

export type AgentEndStatus = 'finished' | 'failed' | 'ended';

/** Parses a `<task-notification>`. Returns null if the text names no task. */
export function parseTaskNotification(text: string): TaskNotification | null {
  const head = text.slice(0, MAX_HEAD_LENGTH);
  const taskId = tagIn(head, 'task-id');
  return taskId === null ? null : { taskId, status: toEndStatus(tagIn(head, 'status')), hash: hashText(head.trim()) };
}

/** Converts a word for the end of an agent. Words that are not known say at least that the agent has ended. */
export function toEndStatus(word: string | null): AgentEndStatus {
  if (word === 'failed' || word === 'error') return 'failed';
  return word === 'killed' || word === 'stopped' || word === 'canceled' || word === 'cancelled' ? 'ended' : 'finished';
}

function tagIn(text: string, tag: string): string | null {
  const start = text.indexOf(`<${tag}>`);
  if (start < 0) return null;
  const begin = start + tag.length + 2;
  const end = text.indexOf('<', begin);
  const value = end < 0 ? '' : text.slice(begin, end).trim();
  return value === '' ? null : value;
}
