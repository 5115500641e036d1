import type { Agent, McpServer, Swarm, SwarmSession } from '../model/index.js';

/** Session that does the work of a swarm. */
export interface SessionLink {
  /** Agent of the session. */
  readonly agent: Agent;
  /** Whether the link is derived from the working directory instead of the processes. */
  readonly inferred: boolean;
}

interface LiveSession {
  readonly agent: Agent;
  readonly session: SwarmSession;
}

interface Sources {
  readonly swarms: { values(): Iterable<Swarm> };
  readonly agents: { get(id: string): Agent | undefined };
}

/** Live sessions of all observers by the keys of their processes and directories. */
export class SessionLinks {
  readonly #byProcess = new Map<string, LiveSession[]>();
  readonly #byDirectory = new Map<string, LiveSession[]>();

  constructor({ swarms, agents }: Sources) {
    for (const { session } of swarms.values()) {
      const agent = session === undefined ? undefined : agents.get(session.agentId);
      if (session === undefined || agent === undefined || !isLive(agent, session)) continue;
      add(this.#byProcess, session.processKey, { agent, session });
      add(this.#byDirectory, session.directoryKey, { agent, session });
    }
  }

  /**
   * Returns the session that a server belongs to: the session whose process is the nearest one that has started the server, or else
   * the only session that works in its directory. Returns null if there is none, or if several fit.
   */
  linkOf({ origin, stale }: McpServer): SessionLink | null {
    if (origin === undefined) return null;
    const { processKeys, directoryKey } = origin;
    // The session of a tapped server ends with the tap.
    if (processKeys !== null && stale) return null;
    for (const key of processKeys ?? []) {
      const sessions = this.#byProcess.get(key);
      if (sessions !== undefined) return toLink(sessions, false);
    }
    const sessions = this.#byDirectory.get(directoryKey) ?? [];
    // A session whose process is known has not started a server that names other processes.
    const possible = processKeys === null ? sessions : sessions.filter(({ session }) => session.processKey === null);
    return toLink(possible, true);
  }
}

/** Returns whether a session goes on. An idle session without a known process may have ended. */
function isLive({ status }: Agent, { processKey }: SwarmSession): boolean {
  if (status === 'TERMINATED') return false;
  return processKey !== null || status === 'BUSY' || status === 'WAITING';
}

function toLink(sessions: readonly LiveSession[], inferred: boolean): SessionLink | null {
  const [first] = sessions;
  // Two observers of one machine report the same session.
  const isUnique = first !== undefined && sessions.every(({ agent }) => agent.nativeId === first.agent.nativeId);
  return isUnique ? { agent: first.agent, inferred } : null;
}

function add(map: Map<string, LiveSession[]>, key: string | null, session: LiveSession): void {
  if (key === null) return;
  const known = map.get(key);
  if (known === undefined) map.set(key, [session]);
  else known.push(session);
}
