import type { InputSchema, ToolDefinition } from '../tool.js';

const STRING = { type: 'string' };
const NUMBER = { type: 'number' };
const OBJECT = { type: 'object' };
const STRINGS = { type: 'array', items: STRING };

const object = (properties: Readonly<Record<string, object>>, required: readonly string[] = []): InputSchema => ({
  type: 'object',
  properties,
  ...(required.length > 0 ? { required } : {}),
});

const byAgent = object({ agent_id: STRING }, ['agent_id']);

/** Entries of the simulated tools in the source of the real DAA server. */
export const DAA_TOOLS = {
  spawn_agent: {
    name: 'spawn_agent',
    description: 'Spawn a new DAA agent with specified configuration',
    inputSchema: object(
      {
        config: object(
          {
            name: STRING,
            agent_type: STRING,
            capabilities: STRINGS,
            rules: OBJECT,
            economic_config: OBJECT,
            ai_config: OBJECT,
            metadata: OBJECT,
          },
          ['name', 'agent_type'],
        ),
      },
      ['config'],
    ),
  },
  stop_agent: { name: 'stop_agent', description: 'Stop a running DAA agent', inputSchema: byAgent },
  pause_agent: { name: 'pause_agent', description: 'Pause a running DAA agent', inputSchema: byAgent },
  resume_agent: { name: 'resume_agent', description: 'Resume a paused DAA agent', inputSchema: byAgent },
  list_agents: {
    name: 'list_agents',
    description: 'List all DAA agents with their status',
    inputSchema: object({ filter: object({ status: STRING, agent_type: STRING, capabilities: STRINGS }) }),
  },
  get_agent_info: {
    name: 'get_agent_info',
    description: 'Get detailed information about a specific agent',
    inputSchema: byAgent,
  },
  create_task: {
    name: 'create_task',
    description: 'Create a new task for agent execution',
    inputSchema: object(
      {
        task_type: STRING,
        description: STRING,
        parameters: OBJECT,
        priority: { type: 'string', enum: ['low', 'medium', 'high', 'critical'] },
        timeout: NUMBER,
        dependencies: STRINGS,
        assigned_agents: STRINGS,
      },
      ['task_type', 'description'],
    ),
  },
  assign_task: {
    name: 'assign_task',
    description: 'Assign a task to specific agents',
    inputSchema: object({ task_id: STRING, agent_ids: STRINGS }, ['task_id', 'agent_ids']),
  },
  cancel_task: {
    name: 'cancel_task',
    description: 'Cancel a pending or running task',
    inputSchema: object({ task_id: STRING }, ['task_id']),
  },
  list_tasks: {
    name: 'list_tasks',
    description: 'List tasks with optional filtering',
    inputSchema: object({ filter: object({ status: STRING, agent_id: STRING, task_type: STRING }) }),
  },
  coordinate_swarm: {
    name: 'coordinate_swarm',
    description: 'Coordinate a group of agents for a complex task',
    inputSchema: object(
      {
        objective: STRING,
        agent_types: STRINGS,
        coordination_strategy: STRING,
        max_agents: NUMBER,
        timeout: NUMBER,
      },
      ['objective', 'agent_types'],
    ),
  },
  get_swarm_status: {
    name: 'get_swarm_status',
    description: 'Get the current status of the agent swarm',
    inputSchema: object({ swarm_id: STRING }),
  },
  discover_agents: {
    name: 'discover_agents',
    description: 'Discover available agents by capabilities',
    inputSchema: object({ required_capabilities: STRINGS, preferred_capabilities: STRINGS, max_results: NUMBER }),
  },
  get_system_metrics: {
    name: 'get_system_metrics',
    description: 'Get system-wide metrics and performance data',
    inputSchema: object({ metric_types: STRINGS, time_range: STRING }),
  },
  healthcheck: {
    name: 'healthcheck',
    description: 'Perform a comprehensive system health check',
    inputSchema: object({ deep_check: { type: 'boolean' } }),
  },
} satisfies Record<string, ToolDefinition>;
