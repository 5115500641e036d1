import type { AgentStatus } from '../../model/index.js';

/** The servers' own words for what an agent is doing; a word that is not here is `UNKNOWN`. */
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
  // The DAA server's agent still ends what it is at; it says `stopped` when it is through.
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

/** @param word lower case, as the field reader gives it; `null` where the server does not say */
export function parseAgentStatus(word: string | null): AgentStatus {
  return (word === null ? undefined : STATUSES.get(word)) ?? 'UNKNOWN';
}
