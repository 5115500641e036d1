import { z } from 'zod';
import type { SimAgent, SimTask } from '../world/entities.js';
import { RUV_SWARM_TOOLS } from './tool-definitions.js';
import { optionalNumber, optionalText, defineTool, ToolCallError, type SimulatedTool } from '../tool.js';
import type { World } from '../world/world.js';

const MOCKED_TIME_MS = 500;

export function ruvSwarmTaskTools(world: World): SimulatedTool[] {
  const find = (id: string): SimTask => {
    const task = world.task(id);
    if (task === undefined) throw new ToolCallError(`Task not found: ${id}`);
    return task;
  };
  return [
    defineTool(
      RUV_SWARM_TOOLS.task_orchestrate,
      z.object({ task: optionalText, strategy: optionalText, priority: optionalText, maxAgents: optionalNumber }),
      (args) => orchestrate(world, args),
    ),
    defineTool(RUV_SWARM_TOOLS.task_status, z.object({ taskId: optionalText }), ({ taskId }) => {
      if (taskId !== null) return listed(world, find(taskId));
      const tasks = world.tasks();
      return { total_tasks: tasks.length, tasks: tasks.map((task) => listed(world, task)) };
    }),
    defineTool(
      RUV_SWARM_TOOLS.task_results,
      z.object({ taskId: optionalText, format: optionalText }),
      ({ taskId, format }) => {
        if (taskId === null) throw new ToolCallError('taskId is required');
        const task = find(taskId);
        if (task.endedAtMs === null) return { task_id: task.id, status: task.state, message: 'Task not yet completed' };
        return format === 'detailed' ? detailedResult(world, task) : summary(world, task);
      },
    ),
  ];
}

interface OrchestrateArguments {
  readonly task: string | null;
  readonly strategy: string | null;
  readonly priority: string | null;
  readonly maxAgents: number | null;
}

function orchestrate(world: World, { task: description, strategy, priority, maxAgents }: OrchestrateArguments): object {
  const [swarm] = world.swarms;
  if (swarm === undefined) throw new ToolCallError('No active swarm found. Please initialize a swarm first.');
  const members = world.livingAgents().filter(({ swarmId }) => swarmId === swarm.id);
  const free = members.filter(({ state }) => state === 'idle');
  const chosen = (free.length > 0 ? free : members).slice(0, maxAgents ?? members.length);
  if (chosen.length === 0) throw new ToolCallError('No agents available for task assignment');
  const task = world.createTask({
    type: 'task',
    description: description ?? '',
    priority: priority ?? 'medium',
    strategy: strategy ?? 'adaptive',
    swarmId: swarm.id,
  });
  world.assign(task, chosen);
  return {
    taskId: task.id,
    status: 'orchestrated',
    description: task.description,
    priority: task.priority,
    strategy: task.strategy,
    assigned_agents: task.assignedTo,
    swarm_info: { id: swarm.id, active_agents: members.filter(isWorking).length },
    orchestration: {
      agent_selection_algorithm: 'capability_matching',
      load_balancing: true,
      cognitive_diversity_considered: true,
    },
    performance: { orchestration_time_ms: 0.4, estimated_completion_ms: 30_000 },
    message: `Task successfully orchestrated across ${chosen.length} agents`,
  };
}

function isWorking({ state }: SimAgent): boolean {
  return state === 'active' || state === 'busy';
}

function listed(world: World, task: SimTask): object {
  return {
    id: task.id,
    status: task.state,
    assignedAgents: task.assignedTo,
    progress: Math.min(1, task.progress / 100),
    execution_time_ms: durationMs(world, task),
  };
}

function durationMs(world: World, { startedAtMs, endedAtMs }: SimTask): number {
  return startedAtMs === null ? 0 : Math.floor((endedAtMs ?? world.elapsedMs) - startedAtMs);
}

function executionSummary(world: World, task: SimTask): object {
  return {
    status: task.state,
    duration_ms: durationMs(world, task),
    success: task.state === 'completed',
    agents_involved: task.assignedTo.length,
    result_entries: 1,
  };
}

function summary(world: World, task: SimTask): object {
  return {
    task_id: task.id,
    status: task.state,
    execution_summary: executionSummary(world, task),
    agent_count: task.assignedTo.length,
    completion_time: durationMs(world, task),
    success: task.state === 'completed',
    has_errors: task.state === 'failed',
    result_available: true,
  };
}

/** Returns the detailed result, in which the real server always reports a mock agent. */
function detailedResult(world: World, task: SimTask): object {
  const succeeded = task.state === 'completed';
  const mocked = { execution_time_ms: MOCKED_TIME_MS, memory_usage_mb: 10, success_rate: 1 };
  return {
    task_id: task.id,
    task_description: task.description,
    status: task.state,
    assigned_agents: task.assignedTo,
    execution_summary: executionSummary(world, task),
    final_result: {
      task_id: task.id,
      description: task.description,
      agent_results: task.assignedTo.map((agentId) => ({
        agentId,
        agentType: world.agent(agentId)?.type ?? 'unknown',
        result: { status: task.state, result: 'Task execution placeholder', executionTime: MOCKED_TIME_MS },
      })),
      execution_summary: {
        total_agents: task.assignedTo.length,
        successful_executions: succeeded ? task.assignedTo.length : 0,
        execution_time_ms: durationMs(world, task),
        average_agent_time_ms: MOCKED_TIME_MS,
      },
    },
    error_details: null,
    agent_results: [
      {
        agent_id: 'mock-agent-1',
        agent_name: 'Mock Agent',
        agent_type: 'researcher',
        output: 'Mock task result output',
        metrics: mocked,
        timestamp: world.now,
        performance: mocked,
      },
    ],
    aggregated_performance: {
      total_execution_time_ms: MOCKED_TIME_MS,
      avg_execution_time_ms: MOCKED_TIME_MS,
      total_memory_usage_mb: 10,
      overall_success_rate: 1,
      agent_count: 1,
    },
  };
}
