import { z } from 'zod';
import type { SimAgent, SimSwarm, SimTask } from '../world/entities.js';
import type { RuvSwarmProcess } from './process-state.js';
import { RUV_SWARM_TOOLS } from './tool-definitions.js';
import {
  DETECTED_FEATURES,
  FEATURES,
  WASM_MEMORY,
  WASM_MEMORY_DETAILS,
  NEURAL_FEATURES,
  WASM_MODULES,
} from './wasm-info.js';
import { optionalNumber, optionalText, defineTool, ToolCallError, type SimulatedTool } from '../tool.js';
import type { World } from '../world/world.js';

export function ruvSwarmStatusTools(world: World, process: RuvSwarmProcess): SimulatedTool[] {
  return [
    defineTool(
      RUV_SWARM_TOOLS.swarm_init,
      z.object({ topology: optionalText, maxAgents: optionalNumber, strategy: optionalText }),
      ({ topology, maxAgents, strategy }) => {
        const swarm: SimSwarm = {
          id: world.ids.timestamped('swarm'),
          topology: topology ?? 'mesh',
          strategy: strategy ?? 'balanced',
          maxAgents: Math.min(100, Math.max(1, maxAgents ?? 5)),
          createdAtMs: world.elapsedMs,
        };
        world.swarms.push(swarm);
        process.isWarm = true;
        return {
          id: swarm.id,
          message: `Successfully initialized ${swarm.topology} swarm with ${swarm.maxAgents} max agents`,
          topology: swarm.topology,
          strategy: swarm.strategy,
          maxAgents: swarm.maxAgents,
          features: { cognitive_diversity: true, neural_networks: true, forecasting: false, simd_support: true },
          created: world.now,
          performance: { initialization_time_ms: 0.9, memory_usage_mb: 48 },
        };
      },
    ),
    defineTool(RUV_SWARM_TOOLS.swarm_status, z.object({ swarmId: optionalText }), ({ swarmId }) => {
      if (swarmId === null) return allSwarmStatus(world, process);
      const swarm = world.swarms.find(({ id }) => id === swarmId);
      if (swarm === undefined) throw new ToolCallError(`Swarm not found: ${swarmId}`);
      const wasmMetrics = { memory_usage_mb: 48, loaded_modules: WASM_MODULES, features: FEATURES };
      return { ...swarmStatus(world, swarm), wasm_metrics: wasmMetrics };
    }),
    defineTool(RUV_SWARM_TOOLS.swarm_monitor, z.object({}), () => {
      throw new ToolCallError(
        world.swarms.length === 0 ? 'No active swarms found' : 'recentEvents.map is not a function',
      );
    }),
    defineTool(RUV_SWARM_TOOLS.features_detect, z.object({}), () => DETECTED_FEATURES),
    defineTool(RUV_SWARM_TOOLS.memory_usage, z.object({ detail: optionalText }), ({ detail }) => {
      process.isWarm = true;
      if (detail === 'detailed') return { ...WASM_MEMORY, ...WASM_MEMORY_DETAILS };
      if (detail !== 'by-agent') return WASM_MEMORY;
      return { ...WASM_MEMORY, agents: world.livingAgents().map(toMemoryUsage) };
    }),
    defineTool(RUV_SWARM_TOOLS.neural_status, z.object({ agentId: optionalText }), ({ agentId }) => {
      const status = { ...NEURAL_FEATURES, simd_acceleration: true, memory_usage_mb: 0 };
      if (agentId === null) return status;
      const agent = world.agent(agentId);
      if (agent === undefined) throw new ToolCallError(`Agent not found: ${agentId}`);
      return {
        ...status,
        agent_network: {
          id: neuralNetworkId(agent),
          agent_name: agent.name,
          status: 'active',
          performance: { inference_speed: 'fast', accuracy: 0.95 },
        },
      };
    }),
  ];
}

/** Returns the id of an agent's network, which the real server derives from the agent's id. */
export function neuralNetworkId({ id }: SimAgent): string {
  return id.replace(/^agent-/, 'nn-');
}

function toMemoryUsage(agent: SimAgent): object {
  const { id, name, type } = agent;
  return { agent_id: id, agent_name: name, agent_type: type, memory_mb: 5, neural_network: true };
}

function swarmStatus(world: World, swarm: SimSwarm): object {
  const agents = world.livingAgents().filter(({ swarmId }) => swarmId === swarm.id);
  const active = agents.filter(({ state }) => state === 'active' || state === 'busy').length;
  const tasks = world.tasks().filter(({ swarmId }) => swarmId === swarm.id);
  const count = (state: SimTask['state']): number => tasks.filter((task) => task.state === state).length;
  return {
    id: swarm.id,
    agents: { total: agents.length, active, idle: agents.length - active },
    tasks: {
      total: tasks.length,
      pending: count('pending'),
      in_progress: count('in_progress'),
      completed: count('completed'),
    },
  };
}

function allSwarmStatus(world: World, process: RuvSwarmProcess): object {
  if (!process.isWarm) throw new ToolCallError("Cannot read properties of null (reading 'getGlobalMetrics')");
  return {
    active_swarms: world.swarms.length,
    swarms: world.swarms.map((swarm) => ({ id: swarm.id, status: swarmStatus(world, swarm) })),
    global_metrics: {
      totalSwarms: world.swarms.length,
      totalAgents: world.livingAgents().length,
      totalTasks: world.tasks().length,
      memoryUsage: 50_331_648,
      performance: {},
      features: FEATURES,
      wasm_modules: WASM_MODULES,
      timestamp: world.now,
    },
    runtime_info: { features: FEATURES, wasm_modules: WASM_MODULES, tool_metrics: process.metrics },
  };
}
