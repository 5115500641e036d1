import type { AgentStatus } from '../../model/index.js';

/**
 * The servers' own words for each agent status, without separators. Other words are `UNKNOWN`. No word stands for `WAITING`,
 * because servers use `waiting` for any pause, and not only for a wait for a person.
 */
const WORDS: Readonly<Record<Exclude<AgentStatus, 'UNKNOWN' | 'WAITING'>, string>> = {
  INITIALIZING:
    'booting creating created initializing initialising initialized initialised launching loading pending queued registered spawned spawning starting',
  IDLE: 'available free idle ready standby',
  // A stopping or draining agent still finishes its work; later it is stopped.
  ACTIVE: 'active draining learning online running stopping shuttingdown terminating',
  BUSY: 'busy executing inprogress processing thinking working',
  PAUSED: 'blocked onhold paused sleeping suspended waiting',
  ERROR: 'crashed errored error failed failure faulted',
  OFFLINE: 'disconnected lost offline unreachable unresponsive',
  TERMINATED:
    'aborted canceled cancelled closed complete completed dead done ended exited finished killed shutdown stopped succeeded success terminated',
};

const STATUSES: ReadonlyMap<string, AgentStatus> = new Map(
  // Object.entries widens the keys, which are those of `WORDS`.
  (Object.entries(WORDS) as [AgentStatus, string][]).flatMap(([status, words]) =>
    words.split(' ').map((word) => [word, status] as const),
  ),
);

/** Separators in the spellings of a word, such as `in_progress`, `in-progress` and `in progress`. */
const SEPARATORS = /[\s_-]+/g;

/** Returns a status word in lower case and without separators. */
export function normalizeStatus(word: string): string {
  return word.toLowerCase().replaceAll(SEPARATORS, '');
}

/**
 * Maps a server's status word to an agent status.
 * @param word word in any case and spelling; null if the server reports none
 */
export function parseAgentStatus(word: string | null): AgentStatus {
  return (word === null ? undefined : STATUSES.get(normalizeStatus(word))) ?? 'UNKNOWN';
}
