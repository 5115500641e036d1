import { z } from 'zod';
import type { AgentState, SimAgent } from '../world/entities.js';
import { RUV_SWARM_TOOLS } from './tool-definitions.js';
import { neuralNetworkId } from './status-tools.js';
import { optionalText, optionalTexts, defineTool, ToolCallError, type SimulatedTool } from '../tool.js';
import type { World } from '../world/world.js';

const NO_SWARM = 'No active swarm found. Please initialize a swarm first using swarm_init.';

const STATUS_LABELS: Readonly<Record<AgentState, string>> = {
  starting: 'idle',
  idle: 'idle',
  active: 'active',
  busy: 'busy',
  paused: 'idle',
  error: 'error',
  ended: 'offline',
};

export function ruvSwarmAgentTools(world: World): SimulatedTool[] {
  return [
    defineTool(
      RUV_SWARM_TOOLS.agent_spawn,
      z.object({ type: optionalText, name: optionalText, capabilities: optionalTexts, swarmId: optionalText }),
      ({ type, name, capabilities, swarmId }) => {
        const swarm = swarmId === null ? world.swarms[0] : world.swarms.find(({ id }) => id === swarmId);
        if (swarm === undefined) throw new ToolCallError(NO_SWARM);
        const id = world.ids.timestamped('agent');
        const agentType = type ?? 'researcher';
        const agent = world.spawn({
          id,
          name: name ?? id.replace(/^agent/, agentType),
          type: agentType,
          group: 'plain',
          swarmId: swarm.id,
          capabilities: capabilities ?? [],
          isPinned: true,
        });
        const count = world.livingAgents().filter((member) => member.swarmId === swarm.id).length;
        const { status, ...rest } = listed(agent);
        return {
          agent: { ...rest, status },
          swarm_info: { id: swarm.id, agent_count: count, capacity: `${count}/100` },
          message: `Successfully spawned ${agentType} agent with ${agent.pattern} cognitive pattern`,
          performance: { spawn_time_ms: 0.4, memory_overhead_mb: 5 },
        };
      },
    ),
    defineTool(
      RUV_SWARM_TOOLS.agent_list,
      z.object({ filter: optionalText, swarmId: optionalText }),
      ({ filter, swarmId }) => {
        if (swarmId !== null && !world.swarms.some(({ id }) => id === swarmId)) {
          throw new ToolCallError(`Swarm not found: ${swarmId}`);
        }
        const statusFilter = filter ?? 'all';
        const agents = world
          .livingAgents()
          .filter((agent) => swarmId === null || agent.swarmId === swarmId)
          .map(listed)
          .filter(({ status }) => statusFilter === 'all' || status === statusFilter);
        return { total_agents: agents.length, filter_applied: statusFilter, agents };
      },
    ),
    defineTool(
      RUV_SWARM_TOOLS.agent_metrics,
      z.object({ agentId: optionalText, metric: optionalText }),
      ({ agentId, metric }) => {
        if (agentId !== null && world.agent(agentId) === undefined)
          throw new ToolCallError(`Agent not found: ${agentId}`);
        if (world.livingAgents().length > 0) throw new ToolCallError('neuralNetworks.map is not a function');
        return {
          total_agents: 0,
          metric_type: metric ?? 'all',
          timestamp: world.now,
          agents: [],
          summary: { avg_performance: null, total_neural_networks: 0, active_agents: 0 },
        };
      },
    ),
  ];
}

function listed(agent: SimAgent) {
  return {
    id: agent.id,
    name: agent.name,
    type: agent.type,
    status: STATUS_LABELS[agent.state],
    cognitive_pattern: agent.pattern,
    capabilities: agent.capabilities,
    neural_network_id: neuralNetworkId(agent),
  };
}
