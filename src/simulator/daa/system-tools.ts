import { z } from 'zod';
import { daaStatus } from './agent-tools.js';
import { DAA_TOOLS } from './tool-definitions.js';
import type { TaskState } from '../world/entities.js';
import {
  optionalBoolean,
  optionalNumber,
  PlainText,
  optionalText,
  optionalTexts,
  defineTool,
  ToolCallError,
  type SimulatedTool,
} from '../tool.js';
import type { World } from '../world/world.js';

const VERSION = '0.2.0';
const DEEP_CHECK = {
  performed: true,
  agent_response_times: 'normal',
  memory_usage: 'normal',
  disk_space: 'normal',
  network_connectivity: 'normal',
};

export function daaSystemTools(world: World): SimulatedTool[] {
  // The real server reports nothing but the number of messages per swarm.
  const messageSwarmIds: string[] = [];
  const withStatus = (status: string): number => world.agents().filter((agent) => daaStatus(agent) === status).length;
  const inState = (state: TaskState): number => world.tasks(state).length;
  return [
    defineTool(
      DAA_TOOLS.coordinate_swarm,
      z.object({ objective: optionalText, agent_types: optionalTexts, max_agents: optionalNumber }),
      ({ objective, agent_types: types, max_agents: maxAgents }) => {
        if (objective === null) throw new ToolCallError('Protocol error: Missing objective');
        if (types === null) throw new ToolCallError('Protocol error: Missing agent_types');
        const quota = Math.floor((maxAgents ?? 10) / Math.max(1, types.length));
        const running = world.livingAgents().filter((agent) => daaStatus(agent) === 'running');
        const chosen = types.flatMap((type) => running.filter((agent) => agent.type === type).slice(0, quota));
        if (chosen.length === 0) return new PlainText('No suitable agents found for swarm coordination', true);
        const swarmId = world.ids.uuid();
        messageSwarmIds.push(swarmId);
        world.assign(world.createTask({ type: 'coordination', description: objective, priority: 'medium' }), chosen);
        return {
          swarm_id: swarmId,
          coordinated_agents: chosen.length,
          agents: chosen.map(({ id, name, type, capabilities }) => ({ id, name, type, capabilities })),
          objective,
        };
      },
    ),
    defineTool(DAA_TOOLS.get_swarm_status, z.object({ swarm_id: optionalText }), ({ swarm_id: swarmId }) => ({
      total_agents: world.agents().length,
      active_agents: withStatus('running'),
      total_messages: messageSwarmIds.length,
      ...(swarmId === null
        ? {}
        : { swarm_messages: messageSwarmIds.filter((id) => id === swarmId).length, swarm_id: swarmId }),
    })),
    defineTool(DAA_TOOLS.get_system_metrics, z.object({}), () => ({
      agents: {
        total: world.agents().length,
        running: withStatus('running'),
        paused: withStatus('paused'),
        stopped: withStatus('stopped'),
        error: withStatus('error'),
      },
      tasks: {
        total: world.tasks().length,
        pending: inState('pending'),
        running: inState('in_progress'),
        completed: inState('completed'),
        failed: inState('failed'),
        cancelled: inState('cancelled'),
      },
      swarm: { total_messages: messageSwarmIds.length, recent_messages: messageSwarmIds.length },
      system: { uptime: 'running', version: VERSION, timestamp: world.now },
    })),
    defineTool(DAA_TOOLS.healthcheck, z.object({ deep_check: optionalBoolean }), ({ deep_check: isDeep }) => {
      const failing = withStatus('error');
      const isHealthy = failing <= Math.floor(world.agents().length / 2);
      const health = {
        overall_status: isHealthy ? 'healthy' : 'unhealthy',
        timestamp: world.now,
        components: {
          mcp_server: 'healthy',
          agent_manager: failing > 0 ? 'degraded' : 'healthy',
          task_manager: 'healthy',
          swarm_coordinator: 'healthy',
        },
        ...(isDeep === true ? { deep_check: DEEP_CHECK } : {}),
      };
      return new PlainText(JSON.stringify(health, null, 2), !isHealthy);
    }),
  ];
}
