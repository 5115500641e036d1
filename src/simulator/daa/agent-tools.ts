import { z } from 'zod';
import { DAA_TOOLS } from './tool-definitions.js';
import type { AgentState, SimAgent } from '../world/entities.js';
import {
  optionalNumber,
  PlainText,
  optionalText,
  optionalTexts,
  defineTool,
  ToolCallError,
  type SimulatedTool,
} from '../tool.js';
import type { World } from '../world/world.js';

const FIRST_ENDPOINT_PORT = 3001;

const STATUS_LABELS: Readonly<Record<AgentState, string>> = {
  starting: 'starting',
  idle: 'running',
  active: 'running',
  busy: 'running',
  paused: 'paused',
  error: 'error',
  ended: 'stopped',
};

export function daaStatus({ state }: SimAgent): string {
  return STATUS_LABELS[state];
}

const byAgent = z.object({ agent_id: optionalText });
const filters = z
  .object({ status: optionalText, agent_type: optionalText, capabilities: optionalTexts })
  .nullish()
  .catch(null);
const configuration = z
  .object({ name: optionalText, agent_type: optionalText, capabilities: optionalTexts })
  .nullish()
  .catch(null);

export function daaAgentTools(world: World): SimulatedTool[] {
  const find = (id: string | null): SimAgent => {
    if (id === null) throw new ToolCallError('Protocol error: Missing agent_id');
    const agent = world.agent(id);
    if (agent === undefined) throw new ToolCallError(`Agent not found: ${id}`);
    return agent;
  };
  return [
    defineTool(DAA_TOOLS.spawn_agent, z.object({ config: configuration }), ({ config }) => {
      if (config?.name == null) throw new ToolCallError('Serialization error: missing field `name`');
      if (config.agent_type === null) throw new ToolCallError('Serialization error: missing field `agent_type`');
      const agent = world.spawn({
        name: config.name,
        type: config.agent_type,
        group: 'plain',
        capabilities: config.capabilities ?? [],
        isPinned: true,
        state: 'starting',
      });
      return new PlainText(`Successfully spawned agent '${agent.name}' with ID: ${agent.id}`);
    }),
    defineTool(DAA_TOOLS.stop_agent, byAgent, ({ agent_id: id }) => {
      world.end(find(id));
      return new PlainText(`Successfully stopped agent: ${String(id)}`);
    }),
    defineTool(DAA_TOOLS.pause_agent, byAgent, ({ agent_id: id }) => {
      const agent = find(id);
      if (agent.state !== 'ended') {
        world.setState(agent, 'paused');
        agent.isPausedByClient = true;
      }
      return new PlainText(`Successfully paused agent: ${agent.id}`);
    }),
    defineTool(DAA_TOOLS.resume_agent, byAgent, ({ agent_id: id }) => {
      const agent = find(id);
      if (agent.state !== 'ended') {
        world.setState(agent, agent.taskId === null ? 'idle' : 'active');
        agent.isPausedByClient = false;
      }
      return new PlainText(`Successfully resumed agent: ${agent.id}`);
    }),
    defineTool(DAA_TOOLS.list_agents, z.object({ filter: filters }), ({ filter }) => {
      const agents = world
        .agents()
        .filter((agent) => filter?.status == null || daaStatus(agent) === filter.status)
        .filter((agent) => filter?.agent_type == null || agent.type === filter.agent_type)
        .map((agent) => listed(world, agent));
      return { agents, total_count: agents.length };
    }),
    defineTool(DAA_TOOLS.get_agent_info, byAgent, ({ agent_id: id }) => listed(world, find(id))),
    defineTool(
      DAA_TOOLS.discover_agents,
      z.object({
        required_capabilities: optionalTexts,
        preferred_capabilities: optionalTexts,
        max_results: optionalNumber,
      }),
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
    status: daaStatus(agent),
    capabilities: agent.capabilities,
    endpoint: `http://localhost:${FIRST_ENDPOINT_PORT + agent.number}`,
    created_at: world.timestampAt(agent.createdAtMs),
    last_seen: world.timestampAt(agent.touchedAtMs),
    metadata: {},
  };
}
