import { z } from 'zod';
import { parseAgentStatus } from '../../src/adapters/responses/agent-status.js';
import type { Life } from './faulty-server.js';

type Kind = Life['type'];

/** The tools that together list all agents of a server of some kind. */
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

/** Where claude-flow's hive has none. */
const NO_QUEEN = 'N/A';

/** What a server's own answer says of its agents: id and status of each, as the picture should have them. */
export function listedIn(content: unknown): string[] {
  const listed = LISTED.parse(content);
  const agents = 'agents' in listed ? listed.agents : [listed.queen, ...listed.workers];
  return agents.flatMap((agent) => {
    const id = 'agentId' in agent ? agent.agentId : agent.id;
    return id === NO_QUEEN ? [] : [`${id} ${parseAgentStatus(agent.status)}`];
  });
}

/** The same of agents in a picture. */
export function shownIn(agents: Iterable<Readonly<Record<string, unknown>>>): string[] {
  return [...agents].map(({ nativeId, status }) => `${String(nativeId)} ${String(status)}`);
}
