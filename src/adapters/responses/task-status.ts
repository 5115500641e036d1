import type { TaskStatus } from '../../model/index.js';
import { normalizeStatus } from './agent-status.js';

/** The servers' own words for each task status, without separators. Other words are `UNKNOWN`. */
const WORDS: Readonly<Record<Exclude<TaskStatus, 'UNKNOWN'>, string>> = {
  PENDING:
    'assigned backlog created draft new notstarted open pending planned queued ready scheduled submitted todo unassigned',
  // ruv-swarm names a task orchestrated that it has just started.
  IN_PROGRESS: 'active claimed doing executing inprogress inreview orchestrated processing running started working',
  BLOCKED: 'blocked inputrequired onhold paused suspended waiting',
  COMPLETED: 'closed complete completed done finished merged resolved succeeded success successful',
  FAILED: 'crashed error errored failed failure faulted rejected timedout timeout',
  CANCELED: 'aborted archived canceled cancelled deferred deleted dropped killed skipped stopped terminated',
};

const STATUSES: ReadonlyMap<string, TaskStatus> = new Map(
  // Object.entries widens the keys, which are those of `WORDS`.
  (Object.entries(WORDS) as [TaskStatus, string][]).flatMap(([status, words]) =>
    words.split(' ').map((word) => [word, status] as const),
  ),
);

/**
 * Maps a server's status word to a task status.
 * @param word word in any case and spelling; null if the server reports none
 */
export function parseTaskStatus(word: string | null): TaskStatus {
  return (word === null ? undefined : STATUSES.get(normalizeStatus(word))) ?? 'UNKNOWN';
}
