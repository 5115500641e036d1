import type { AgentStatus } from '../../model/index.js';

/** Agent statuses by the servers' own words. Other words are `UNKNOWN`. */
const STATUSES: ReadonlyMap<string, AgentStatus> = new Map<string, AgentStatus>([
  ['initializing', 'INITIALIZING'],
  ['initialising', 'INITIALIZING'],
  ['initialized', 'INITIALIZING'],
  ['registered', 'INITIALIZING'],
  ['spawning', 'INITIALIZING'],
  ['starting', 'INITIALIZING'],
  ['idle', 'IDLE'],
  ['ready', 'IDLE'],
  ['active', 'ACTIVE'],
  ['learning', 'ACTIVE'],
  ['running', 'ACTIVE'],
  // A stopping agent of the DAA server still finishes its work; later it is `stopped`.
  ['stopping', 'ACTIVE'],
  ['busy', 'BUSY'],
  ['working', 'BUSY'],
  ['paused', 'PAUSED'],
  ['error', 'ERROR'],
  ['failed', 'ERROR'],
  ['offline', 'OFFLINE'],
  ['stopped', 'TERMINATED'],
  ['terminated', 'TERMINATED'],
]);

/**
 * Maps a server's status word to an agent status.
 * @param word lower-case word; null if the server reports none
 */
export function parseAgentStatus(word: string | null): AgentStatus {
  return (word === null ? undefined : STATUSES.get(word)) ?? 'UNKNOWN';
}
