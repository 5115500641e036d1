import { z } from 'zod';
import { CLAUDE_FLOW_HIVE_TOOLS } from './hive-tool-definitions.js';
import type { SimAgent } from '../world/entities.js';
import { optionalNumber, optionalText, optionalTexts, defineTool, type SimulatedTool } from '../tool.js';
import type { World } from '../world/world.js';

const PATTERNS = {
  convergent: 'Focused, analytical thinking for well-defined problems',
  divergent: 'Creative, exploratory thinking for open-ended problems',
  lateral: 'Indirect, creative approach to problem solving',
  systems: 'Holistic thinking considering interconnections',
  critical: 'Analytical evaluation and logical assessment',
  adaptive: 'Dynamic switching between patterns as needed',
};

export function claudeFlowDaaTools(world: World): SimulatedTool[] {
  const find = (id: string | null): SimAgent | undefined => world.livingAgents('daa').find((agent) => agent.id === id);
  return [
    defineTool(
      CLAUDE_FLOW_HIVE_TOOLS.daa_agent_create,
      z.object({
        id: optionalText,
        name: optionalText,
        type: optionalText,
        cognitivePattern: optionalText,
        learningRate: optionalNumber,
        capabilities: optionalTexts,
      }),
      ({ id, name, type, cognitivePattern, learningRate, capabilities }) => {
        if (id === null) return { success: false, error: 'Input validation failed: id: Required' };
        if (world.agent(id) !== undefined) return { success: false, error: `Agent already exists: ${id}` };
        const agent = world.spawn({
          id,
          name: name ?? `DAA-${id}`,
          type: type ?? 'autonomous',
          group: 'daa',
          pattern: cognitivePattern ?? 'adaptive',
          learningRate: learningRate ?? 0.01,
          capabilities: capabilities ?? ['reasoning', 'learning'],
          isPinned: true,
        });
        const created = {
          id,
          name: agent.name,
          type: agent.type,
          status: daaStatus(agent),
          cognitivePattern: agent.pattern,
          capabilities: agent.capabilities,
        };
        return { success: true, agent: created, createdAt: world.now };
      },
    ),
    defineTool(CLAUDE_FLOW_HIVE_TOOLS.daa_learning_status, z.object({ agentId: optionalText }), ({ agentId }) => {
      if (agentId === null) return learningOfAll(world);
      const agent = find(agentId);
      if (agent === undefined) return { success: false, error: 'Agent not found' };
      return {
        success: true,
        agent: {
          id: agent.id,
          status: daaStatus(agent),
          cognitivePattern: agent.pattern,
          learningRate: agent.learningRate,
          metrics: toMetrics(agent),
        },
      };
    }),
    defineTool(
      CLAUDE_FLOW_HIVE_TOOLS.daa_cognitive_pattern,
      z.object({ agentId: optionalText, action: optionalText, pattern: optionalText }),
      ({ agentId, action, pattern }) => {
        if (agentId === null) {
          const recommendation = 'Use "adaptive" for general-purpose agents';
          return { success: true, patterns: PATTERNS, recommendation };
        }
        const agent = find(agentId);
        if (agent === undefined) return { success: false, error: 'Agent not found' };
        if (action === 'change' && pattern !== null) {
          const previousPattern = agent.pattern;
          agent.pattern = pattern;
          return { success: true, agentId, previousPattern, newPattern: pattern };
        }
        return {
          success: true,
          agentId,
          currentPattern: agent.pattern,
          learningRate: agent.learningRate,
          metrics: toMetrics(agent),
          _note: 'Pattern analysis requires real cognitive modeling. Current pattern and metrics shown.',
        };
      },
    ),
  ];
}

function daaStatus({ state }: SimAgent): string {
  return state === 'active' || state === 'busy' ? 'learning' : 'active';
}

function toMetrics(agent: SimAgent) {
  const ended = agent.tasksCompleted + agent.tasksFailed;
  const successRate = ended === 0 ? 1 : agent.tasksCompleted / ended;
  return { tasksCompleted: agent.tasksCompleted, successRate, adaptations: agent.adaptations };
}

function learningOfAll(world: World): object {
  const agents = world.livingAgents('daa').map((agent) => {
    const { successRate, adaptations } = toMetrics(agent);
    return { id: agent.id, status: daaStatus(agent), successRate, adaptations };
  });
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, value) => total + value, 0);
  const count = (status: string): number => agents.filter((agent) => agent.status === status).length;
  return {
    success: true,
    summary: {
      total: agents.length,
      active: count('active'),
      learning: count('learning'),
      avgSuccessRate: agents.length === 0 ? 0 : sum(agents.map((agent) => agent.successRate)) / agents.length,
      totalAdaptations: sum(agents.map((agent) => agent.adaptations)),
    },
    agents,
  };
}
