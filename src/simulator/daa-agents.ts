import { z } from 'zod';
import { DAA_TOOLS } from './daa-tools.js';
import type { AgentState, SimAgent } from './inhabitants.js';
import { number, PlainText, text, texts, tool, ToolFailure, type Tool } from './tool.js';
import type { World } from './world.js';

const FIRST_ENDPOINT_PORT = 3001;

const WORDS: Readonly<Record<AgentState, string>> = {
  starting: 'starting',
  idle: 'running',
  active: 'running',
  busy: 'running',
  paused: 'paused',
  error: 'error',
  ended: 'stopped',
};

export function daaStatusOf({ state }: SimAgent): string {
  return WORDS[state];
}

const byAgent = z.object({ agent_id: text });
const filters = z.object({ status: text, agent_type: text, capabilities: texts }).nullish().catch(null);
const configuration = z.object({ name: text, agent_type: text, capabilities: texts }).nullish().catch(null);

export function daaAgentTools(world: World): Tool[] {
  const find = (id: string | null): SimAgent => {
    if (id === null) throw new ToolFailure('Protocol error: Missing agent_id');
    const agent = world.agent(id);
    if (agent === undefined) throw new ToolFailure(`Agent not found: ${id}`);
    return agent;
  };
  return [
    tool(DAA_TOOLS.spawn_agent, z.object({ config: configuration }), ({ config }) => {
      if (config?.name == null) throw new ToolFailure('Serialization error: missing field `name`');
      if (config.agent_type === null) throw new ToolFailure('Serialization error: missing field `agent_type`');
      const agent = world.spawn({
        name: config.name,
        type: config.agent_type,
        group: 'plain',
        capabilities: config.capabilities ?? [],
        kept: true,
        state: 'starting',
      });
      return new PlainText(`Successfully spawned agent '${agent.name}' with ID: ${agent.id}`);
    }),
    tool(DAA_TOOLS.stop_agent, byAgent, ({ agent_id: id }) => {
      world.end(find(id));
      return new PlainText(`Successfully stopped agent: ${String(id)}`);
    }),
    tool(DAA_TOOLS.pause_agent, byAgent, ({ agent_id: id }) => {
      const agent = find(id);
      if (agent.state !== 'ended') {
        world.setState(agent, 'paused');
        agent.held = true;
      }
      return new PlainText(`Successfully paused agent: ${agent.id}`);
    }),
    tool(DAA_TOOLS.resume_agent, byAgent, ({ agent_id: id }) => {
      const agent = find(id);
      if (agent.state !== 'ended') {
        world.setState(agent, agent.taskId === null ? 'idle' : 'active');
        agent.held = false;
      }
      return new PlainText(`Successfully resumed agent: ${agent.id}`);
    }),
    tool(DAA_TOOLS.list_agents, z.object({ filter: filters }), ({ filter }) => {
      const agents = world
        .agents()
        .filter((agent) => filter?.status == null || daaStatusOf(agent) === filter.status)
        .filter((agent) => filter?.agent_type == null || agent.type === filter.agent_type)
        .map((agent) => listed(world, agent));
      return { agents, total_count: agents.length };
    }),
    tool(DAA_TOOLS.get_agent_info, byAgent, ({ agent_id: id }) => listed(world, find(id))),
    tool(
      DAA_TOOLS.discover_agents,
      z.object({ required_capabilities: texts, preferred_capabilities: texts, max_results: number }),
      ({ required_capabilities: required, preferred_capabilities: preferred, max_results: maxResults }) => {
        const rank = ({ capabilities }: SimAgent): number =>
          capabilities.filter((capability) => preferred?.includes(capability) ?? false).length;
        const found = world
          .agents()
          .filter(({ capabilities }) => required?.every((capability) => capabilities.includes(capability)) ?? true)
          .sort((a, b) => rank(b) - rank(a))
          .slice(0, Math.max(0, maxResults ?? 10));
        return {
          discovered_agents: found.map((agent) => {
            const { id, name, agent_type, status, capabilities, endpoint, last_seen } = listed(world, agent);
            return { id, name, type: agent_type, status, capabilities, endpoint, last_seen };
          }),
          total_found: found.length,
          search_criteria: { required_capabilities: required ?? [], preferred_capabilities: preferred ?? [] },
        };
      },
    ),
  ];
}

function listed(world: World, agent: SimAgent) {
  return {
    id: agent.id,
    name: agent.name,
    agent_type: agent.type,
    status: daaStatusOf(agent),
    capabilities: agent.capabilities,
    endpoint: `http://localhost:${FIRST_ENDPOINT_PORT + agent.number}`,
    created_at: world.at(agent.createdAtMs),
    last_seen: world.at(agent.touchedAtMs),
    metadata: {},
  };
}
