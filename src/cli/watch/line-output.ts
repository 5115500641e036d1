import type { Agent, AgentStreamUpdate } from '@swarmlens/client';
import { alignColumns } from '../terminal/table.js';

/** Formats updates as text lines or JSON lines, for output that is not a terminal. */
export class WatchLineFormatter {
  readonly #sent = new Map<string, string>();

  /** Returns one line per agent that was added, changed or removed. Omits lines equal to the last one of the agent. */
  text({ kind, agents, removedAgentIds, snapshot }: AgentStreamUpdate): string {
    const time = snapshot.timestamp ?? '';
    const removedIds =
      kind === 'SNAPSHOT' ? [...this.#sent.keys()].filter((id) => !snapshot.agents.has(id)) : removedAgentIds;
    const lines: string[] = [];
    for (const id of removedIds) if (this.#sent.delete(id)) lines.push(`${time} - ${id}`);
    for (const agent of agents) {
      const line = formatAgent(agent);
      const previous = this.#sent.get(agent.id);
      if (previous === line) continue;
      this.#sent.set(agent.id, line);
      lines.push(`${time} ${previous === undefined ? '+' : '~'} ${line}`);
    }
    return alignColumns(lines.map((line) => [line]))
      .map((line) => `${line}\n`)
      .join('');
  }

  /** Returns the update as one line of JSON. */
  json({ kind, agents, removedAgentIds, snapshot }: AgentStreamUpdate): string {
    const { timestamp, staleServerIds } = snapshot;
    return `${JSON.stringify({ kind, timestamp, agents, removedAgentIds, staleServerIds })}\n`;
  }
}

function formatAgent({ id, type, status, name, stale }: Agent): string {
  return `${id} ${type} ${status}${stale ? ' (stale)' : ''} ${name}`;
}
