import { z } from 'zod';
import { RUV_SWARM_TOOLS } from './tool-definitions.js';
import {
  optionalBoolean,
  optionalText,
  optionalTexts,
  defineTool,
  ToolCallError,
  type SimulatedTool,
} from '../tool.js';
import type { World } from '../world/world.js';

const CAPABILITIES = {
  autonomousLearning: true,
  peerCoordination: true,
  neuralIntegration: true,
  cognitivePatterns: 6,
};
const DOMAINS = ['general', 'coordination', 'adaptation'];

/** Creates the DAA tools. No tool lists DAA agents, and the real server invents everything but their ids as well. */
export function ruvSwarmDaaTools(world: World): SimulatedTool[] {
  const agents = new Set<string>();
  return [
    defineTool(
      RUV_SWARM_TOOLS.daa_init,
      z.object({ enableLearning: optionalBoolean, enableCoordination: optionalBoolean, persistenceMode: optionalText }),
      ({ enableLearning, enableCoordination, persistenceMode }) => ({
        success: true,
        initialized: true,
        features: {
          autonomousLearning: enableLearning ?? true,
          peerCoordination: enableCoordination ?? true,
          persistenceMode: persistenceMode ?? 'auto',
          neuralIntegration: true,
          cognitivePatterns: 6,
        },
        capabilities: { ...CAPABILITIES, wasmOptimized: true, crossBoundaryLatency: '< 1ms', memoryPersistence: true },
        timestamp: world.now,
      }),
    ),
    defineTool(
      RUV_SWARM_TOOLS.daa_agent_create,
      z.object({
        id: optionalText,
        capabilities: optionalTexts,
        cognitivePattern: optionalText,
        enableMemory: optionalBoolean,
      }),
      ({ id, capabilities, cognitivePattern, enableMemory }) => {
        if (id === null) throw new ToolCallError('id is required');
        agents.add(id);
        return {
          agent: {
            id,
            cognitive_pattern: cognitivePattern ?? 'adaptive',
            capabilities: capabilities ?? [],
            status: 'active',
            created_at: world.now,
          },
          swarm_id: null,
          learning_enabled: true,
          memory_enabled: enableMemory ?? true,
        };
      },
    ),
    defineTool(
      RUV_SWARM_TOOLS.daa_learning_status,
      z.object({ agentId: optionalText, detailed: optionalBoolean }),
      ({ agentId, detailed }) => {
        if (agentId !== null && !agents.has(agentId)) throw new ToolCallError(`Agent ${agentId} not found`);
        const isAll = agentId === null;
        const details = isAll
          ? { totalAgents: agents.size, activeAgents: agents.size, systemUptime: Math.floor(world.elapsedMs) }
          : { tasksCompleted: 0, successRate: 0.9, averageResponseTime: 50 };
        return {
          agent_id: agentId ?? 'all',
          total_learning_cycles: 0,
          average_proficiency: isAll ? 0.78 : 0.9,
          knowledge_domains: isAll ? [...DOMAINS, 'neural', 'optimization'] : DOMAINS,
          adaptation_rate: isAll ? 0.12 : 0.15,
          neural_models_active: isAll ? agents.size * 3 : 3,
          cross_session_memory: isAll ? agents.size * 1024 : 208,
          performance_trend: isAll ? 'stable' : 'improving',
          timestamp: world.now,
          ...(detailed === true ? { detailed_metrics: details } : {}),
        };
      },
    ),
  ];
}
