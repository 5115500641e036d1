import { z } from 'zod';
import { parseAgentStatus } from '../../src/adapters/responses/agent-status.js';
import type { Life } from './faulty-server.js';

type Kind = Life['type'];

/** Tools that together list all agents of a server, by server type. */
export const LIST_TOOLS: Readonly<Record<Kind, readonly string[]>> = {
  daa: ['list_agents'],
  'ruv-swarm': ['agent_list'],
  'claude-flow': ['agent_list', 'hive-mind_status', 'daa_learning_status'],
};

const NAMED = z.object({ id: z.string(), name: z.string(), status: z.string() });
const HIVE = z.object({
  queen: z.object({ id: z.string(), status: z.string() }),
  workers: z.array(z.object({ id: z.string(), status: z.string() })),
});
const LISTED = z.union([
  z.object({ agents: z.array(NAMED) }),
  z.object({ agents: z.array(z.object({ agentId: z.string(), status: z.string() })) }),
  z.object({ agents: z.array(z.object({ id: z.string(), status: z.string() })) }),
  HIVE,
]);

/** Queen id of claude-flow when the hive mind has no queen. */
const NO_QUEEN = 'N/A';

/** Returns id and normalized status of each agent in a tool result. */
export function listedIn(content: unknown): string[] {
  const listed = LISTED.parse(content);
  const agents = 'agents' in listed ? listed.agents : [listed.queen, ...listed.workers];
  return agents.flatMap((agent) => {
    const id = 'agentId' in agent ? agent.agentId : agent.id;
    return id === NO_QUEEN ? [] : [`${id} ${parseAgentStatus(agent.status)}`];
  });
}

/** Returns id and status of each agent in a query result or streamed state. */
export function shownIn(agents: Iterable<Readonly<Record<string, unknown>>>): string[] {
  return [...agents].map(({ nativeId, status }) => `${String(nativeId)} ${String(status)}`);
}
