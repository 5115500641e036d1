import type { Agent, AgentStreamUpdate } from '@swarmlens/client';
import { alignColumns } from '../terminal/table.js';

/** Tells updates as text: for machines, or line by line where there is no terminal to draw on. */
export class WatchLineFormatter {
  readonly #sent = new Map<string, string>();

  /** One line for each agent that has come, is something else, or is gone; none for what would say the same again. */
  text({ kind, agents, removedAgentIds, snapshot }: AgentStreamUpdate): string {
    const at = snapshot.timestamp ?? '';
    const gone =
      kind === 'SNAPSHOT' ? [...this.#sent.keys()].filter((id) => !snapshot.agents.has(id)) : removedAgentIds;
    const lines: string[] = [];
    for (const id of gone) if (this.#sent.delete(id)) lines.push(`${at} - ${id}`);
    for (const agent of agents) {
      const said = described(agent);
      const before = this.#sent.get(agent.id);
      if (before === said) continue;
      this.#sent.set(agent.id, said);
      lines.push(`${at} ${before === undefined ? '+' : '~'} ${said}`);
    }
    return alignColumns(lines.map((line) => [line]))
      .map((line) => `${line}\n`)
      .join('');
  }

  /** One line of JSON. */
  json({ kind, agents, removedAgentIds, snapshot }: AgentStreamUpdate): string {
    const { timestamp, staleServerIds } = snapshot;
    return `${JSON.stringify({ kind, timestamp, agents, removedAgentIds, staleServerIds })}\n`;
  }
}

function described({ id, type, status, name, stale }: Agent): string {
  return `${id} ${type} ${status}${stale ? ' (stale)' : ''} ${name}`;
}
