import { type Agent, agentStateOf } from '@swarmlens/client';

/** Agent that waits for a person. */
export interface Wait {
  readonly agent: Agent;
  /** Start of the wait, in milliseconds since the epoch. Null if the server does not report it. */
  readonly sinceMs: number | null;
  /** Whether the wait is derived from other facts instead of reported. */
  readonly isInferred: boolean;
}

/** Lists the agents that wait for a person, the longest wait first. Waits of unknown age are last. */
export function listWaits(agents: Iterable<Agent>): readonly Wait[] {
  const waits: Wait[] = [];
  for (const agent of agents) if (agentStateOf(agent) === 'waiting') waits.push(toWait(agent));
  const orderOf = ({ sinceMs }: Wait): number => sinceMs ?? Number.POSITIVE_INFINITY;
  return waits.sort((a, b) => {
    const [first, second] = [orderOf(a), orderOf(b)];
    if (first !== second) return first < second ? -1 : 1;
    return a.agent.id < b.agent.id ? -1 : 1;
  });
}

function toWait(agent: Agent): Wait {
  const since = agent.activity?.kind === 'WAITING' ? Date.parse(agent.activity.since ?? '') : Number.NaN;
  return { agent, sinceMs: Number.isNaN(since) ? null : since, isInferred: agent.activity?.inferred === true };
}

/** Maximum number of agents whose last wait is remembered. */
const MAX_KNOWN = 10_000;

/**
 * Finds waits that began after the page was opened, each once. Waits of the first update are known. A wait is known by its agent
 * and its start, so that an agent that was stale or missing for a moment is not reported again.
 */
export class WaitTracker {
  /** Start of the last wait of each agent. Null if it is unknown. */
  readonly #known = new Map<string, number | null>();
  #isFirst = true;

  /** @returns the waits that began since the previous update */
  update(agents: ReadonlyMap<string, Agent>): readonly Wait[] {
    const begun: Wait[] = [];
    for (const agent of agents.values()) {
      const state = agentStateOf(agent);
      if (state === 'stale') continue;
      if (state !== 'waiting') {
        // A wait with a known start keeps it, because a late update may repeat the wait.
        if (this.#known.get(agent.id) === null) this.#known.delete(agent.id);
        continue;
      }
      const wait = toWait(agent);
      const isKnown = this.#known.has(agent.id) && this.#known.get(agent.id) === wait.sinceMs;
      if (isKnown) continue;
      this.#remember(agent.id, wait.sinceMs);
      begun.push(wait);
    }
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    return isFirst ? [] : begun;
  }

  #remember(agentId: string, sinceMs: number | null): void {
    this.#known.delete(agentId);
    this.#known.set(agentId, sinceMs);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
  }
}
