import type { Agent } from '@swarmlens/client';
import { UNKNOWN_TEXT, formatEnumValue } from '../ui/format.js';

export interface HistoryEntry {
  readonly atMs: number;
  /** Description of the change. */
  readonly text: string;
}

/** Maximum number of changes per agent. */
const MAX_CHANGES = 20;
/** Maximum number of agents with a history. Agents without recent changes are dropped. */
const MAX_AGENTS = 2_000;

const OBSERVED_VALUES: readonly (readonly [name: string, format: (agent: Agent) => string])[] = [
  ['status', ({ status }) => formatEnumValue(status)],
  ['name', ({ name }) => name],
  ['type', ({ type }) => type],
  ['swarm', ({ swarmId }) => swarmId ?? UNKNOWN_TEXT],
  ['values', ({ stale }) => (stale ? 'last known' : 'current')],
  ['open tasks', ({ performance }) => `${performance?.tasksActive ?? UNKNOWN_TEXT}`],
  ['completed tasks', ({ performance }) => `${performance?.tasksCompleted ?? UNKNOWN_TEXT}`],
  ['failed tasks', ({ performance }) => `${performance?.tasksFailed ?? UNKNOWN_TEXT}`],
  ['cognitive pattern', ({ neural }) => neural?.cognitivePattern ?? UNKNOWN_TEXT],
];

/** Last changes of each agent since the page was opened. */
export class AgentHistory {
  readonly #changes = new Map<string, readonly HistoryEntry[]>();
  #previous: ReadonlyMap<string, Agent> | null = null;

  /** @param agents current agents; unchanged agents must be the same objects as before */
  record(agents: ReadonlyMap<string, Agent>, atMs: number): void {
    const previous = this.#previous;
    this.#previous = agents;
    if (previous === null || previous === agents) return;
    for (const [id, agent] of agents) {
      const known = previous.get(id);
      if (known !== agent) this.#keep(id, known === undefined ? ['appeared'] : describeDifferences(known, agent), atMs);
    }
    for (const id of previous.keys()) if (!agents.has(id)) this.#keep(id, ['disappeared'], atMs);
  }

  /** Returns the changes of an agent, newest first. */
  get(agentId: string): readonly HistoryEntry[] {
    return this.#changes.get(agentId) ?? [];
  }

  #keep(id: string, texts: readonly string[], atMs: number): void {
    if (texts.length === 0) return;
    const kept = [...texts.map((text) => ({ atMs, text })), ...this.get(id)].slice(0, MAX_CHANGES);
    this.#changes.delete(id);
    this.#changes.set(id, kept);
    const [oldest] = this.#changes.keys();
    if (this.#changes.size > MAX_AGENTS && oldest !== undefined) this.#changes.delete(oldest);
  }
}

/** Describes the differences of two versions of an agent. */
export function describeDifferences(before: Agent, after: Agent): readonly string[] {
  return OBSERVED_VALUES.flatMap(([name, format]) => {
    const [from, to] = [format(before), format(after)];
    return from === to ? [] : [`${name}: ${from} → ${to}`];
  });
}
