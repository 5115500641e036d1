import type { Agent } from '@swarmlens/client';
import { UNKNOWN_TEXT, formatEnumValue } from '../ui/format.js';

export interface HistoryEntry {
  readonly atMs: number;
  /** What changed, in words. */
  readonly text: string;
}

/** Changes of one agent that are kept. */
const MAX_CHANGES = 20;
/** Agents whose changes are kept: those that changed last. */
const MAX_AGENTS = 2_000;

const NEWS: readonly (readonly [name: string, valueOf: (agent: Agent) => string])[] = [
  ['status', ({ status }) => formatEnumValue(status)],
  ['name', ({ name }) => name],
  ['type', ({ type }) => type],
  ['swarm', ({ swarmId }) => swarmId ?? UNKNOWN_TEXT],
  ['known from', ({ stale }) => (stale ? 'last known values' : 'its server')],
  ['open tasks', ({ performance }) => `${performance?.tasksActive ?? UNKNOWN_TEXT}`],
  ['tasks done', ({ performance }) => `${performance?.tasksCompleted ?? UNKNOWN_TEXT}`],
  ['tasks failed', ({ performance }) => `${performance?.tasksFailed ?? UNKNOWN_TEXT}`],
  ['thinks', ({ neural }) => neural?.cognitivePattern ?? UNKNOWN_TEXT],
];

/** The last changes of the agents, as far as this page has seen them. */
export class AgentHistory {
  readonly #changes = new Map<string, readonly HistoryEntry[]>();
  #before: ReadonlyMap<string, Agent> | null = null;

  /** @param agents the picture now; agents that did not change are the same objects as before */
  take(agents: ReadonlyMap<string, Agent>, atMs: number): void {
    const before = this.#before;
    this.#before = agents;
    if (before === null || before === agents) return;
    for (const [id, agent] of agents) {
      const known = before.get(id);
      if (known !== agent) this.#keep(id, known === undefined ? ['appeared'] : describeDifferences(known, agent), atMs);
    }
    for (const id of before.keys()) if (!agents.has(id)) this.#keep(id, ['left the picture'], atMs);
  }

  /** Newest first. */
  of(agentId: string): readonly HistoryEntry[] {
    return this.#changes.get(agentId) ?? [];
  }

  #keep(id: string, texts: readonly string[], atMs: number): void {
    if (texts.length === 0) return;
    const kept = [...texts.map((text) => ({ atMs, text })), ...this.of(id)].slice(0, MAX_CHANGES);
    this.#changes.delete(id);
    this.#changes.set(id, kept);
    const [oldest] = this.#changes.keys();
    if (this.#changes.size > MAX_AGENTS && oldest !== undefined) this.#changes.delete(oldest);
  }
}

/** What is different, in words. */
export function describeDifferences(before: Agent, after: Agent): readonly string[] {
  return NEWS.flatMap(([name, valueOf]) => {
    const [from, to] = [valueOf(before), valueOf(after)];
    return from === to ? [] : [`${name}: ${from} → ${to}`];
  });
}
