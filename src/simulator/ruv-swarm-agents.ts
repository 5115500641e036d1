import { z } from 'zod';
import type { AgentState, SimAgent } from './inhabitants.js';
import { RUV_SWARM_TOOLS } from './ruv-swarm-tools.js';
import { networkOf } from './ruv-swarm-state.js';
import { text, texts, tool, ToolFailure, type Tool } from './tool.js';
import type { World } from './world.js';

const NO_SWARM = 'No active swarm found. Please initialize a swarm first using swarm_init.';

const WORDS: Readonly<Record<AgentState, string>> = {
  starting: 'idle',
  idle: 'idle',
  active: 'active',
  busy: 'busy',
  paused: 'idle',
  error: 'error',
  ended: 'offline',
};

export function ruvAgentTools(world: World): Tool[] {
  return [
    tool(
      RUV_SWARM_TOOLS.agent_spawn,
      z.object({ type: text, name: text, capabilities: texts, swarmId: text }),
      ({ type, name, capabilities, swarmId }) => {
        const swarm = swarmId === null ? world.swarms[0] : world.swarms.find(({ id }) => id === swarmId);
        if (swarm === undefined) throw new ToolFailure(NO_SWARM);
        const id = world.ids.stamped('agent');
        const kind = type ?? 'researcher';
        const agent = world.spawn({
          id,
          name: name ?? id.replace(/^agent/, kind),
          type: kind,
          group: 'plain',
          swarmId: swarm.id,
          capabilities: capabilities ?? [],
          kept: true,
        });
        const count = world.living().filter((other) => other.swarmId === swarm.id).length;
        const { status, ...shown } = listed(agent);
        return {
          agent: { ...shown, status },
          swarm_info: { id: swarm.id, agent_count: count, capacity: `${count}/100` },
          message: `Successfully spawned ${kind} agent with ${agent.pattern} cognitive pattern`,
          performance: { spawn_time_ms: 0.4, memory_overhead_mb: 5 },
        };
      },
    ),
    tool(RUV_SWARM_TOOLS.agent_list, z.object({ filter: text, swarmId: text }), ({ filter, swarmId }) => {
      if (swarmId !== null && !world.swarms.some(({ id }) => id === swarmId)) {
        throw new ToolFailure(`Swarm not found: ${swarmId}`);
      }
      const wanted = filter ?? 'all';
      const agents = world
        .living()
        .filter((agent) => swarmId === null || agent.swarmId === swarmId)
        .map(listed)
        .filter(({ status }) => wanted === 'all' || status === wanted);
      return { total_agents: agents.length, filter_applied: wanted, agents };
    }),
    tool(RUV_SWARM_TOOLS.agent_metrics, z.object({ agentId: text, metric: text }), ({ agentId, metric }) => {
      if (agentId !== null && world.agent(agentId) === undefined) throw new ToolFailure(`Agent not found: ${agentId}`);
      if (world.living().length > 0) throw new ToolFailure('neuralNetworks.map is not a function');
      return {
        total_agents: 0,
        metric_type: metric ?? 'all',
        timestamp: world.now,
        agents: [],
        summary: { avg_performance: null, total_neural_networks: 0, active_agents: 0 },
      };
    }),
  ];
}

function listed(agent: SimAgent) {
  return {
    id: agent.id,
    name: agent.name,
    type: agent.type,
    status: WORDS[agent.state],
    cognitive_pattern: agent.pattern,
    capabilities: agent.capabilities,
    neural_network_id: networkOf(agent),
  };
}
