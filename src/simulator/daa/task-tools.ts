import { z } from 'zod';
import { DAA_TOOLS } from './tool-definitions.js';
import type { SimTask, TaskState } from '../world/entities.js';
import { PlainText, optionalText, optionalTexts, defineTool, ToolCallError, type SimulatedTool } from '../tool.js';
import type { World } from '../world/world.js';

const STATUS_LABELS: Readonly<Record<TaskState, string>> = {
  pending: 'pending',
  in_progress: 'running',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
};

const filters = z
  .object({ status: optionalText, agent_id: optionalText, task_type: optionalText })
  .nullish()
  .catch(null);

export function daaTaskTools(world: World): SimulatedTool[] {
  const find = (id: string | null): SimTask => {
    if (id === null) throw new ToolCallError('Protocol error: Missing task_id');
    const task = world.task(id);
    if (task === undefined) throw new ToolCallError(`Protocol error: Task not found: ${id}`);
    return task;
  };
  return [
    defineTool(
      DAA_TOOLS.create_task,
      z.object({
        task_type: optionalText,
        description: optionalText,
        priority: optionalText,
        assigned_agents: optionalTexts,
      }),
      ({ task_type: type, description, priority, assigned_agents: assignedTo }) => {
        if (type === null) throw new ToolCallError('Protocol error: Missing task_type');
        if (description === null) throw new ToolCallError('Protocol error: Missing description');
        const spec = { type, description, priority: priority ?? 'medium', assignedTo: assignedTo ?? [] };
        return new PlainText(`Successfully created task with ID: ${world.createTask(spec).id}`);
      },
    ),
    defineTool(
      DAA_TOOLS.assign_task,
      z.object({ task_id: optionalText, agent_ids: optionalTexts }),
      ({ task_id: taskId, agent_ids: agentIds }) => {
        const task = find(taskId);
        if (agentIds === null) throw new ToolCallError('Protocol error: Missing agent_ids');
        const agents = agentIds.map((id) => world.agent(id)).filter((agent) => agent !== undefined);
        world.assign(
          task,
          agents.filter(({ state }) => state !== 'ended'),
        );
        return new PlainText(`Successfully assigned task ${task.id} to ${agentIds.length} agents`);
      },
    ),
    defineTool(DAA_TOOLS.cancel_task, z.object({ task_id: optionalText }), ({ task_id: taskId }) => {
      world.finish(find(taskId), 'cancelled');
      return new PlainText(`Successfully cancelled task: ${String(taskId)}`);
    }),
    defineTool(DAA_TOOLS.list_tasks, z.object({ filter: filters }), ({ filter }) => {
      const tasks = world
        .tasks()
        .filter(({ state }) => filter?.status == null || STATUS_LABELS[state] === filter.status)
        .map((task) => ({
          task: toDefinition(task),
          result: toResult(world, task),
          status: STATUS_LABELS[task.state],
        }));
      return { tasks, total_count: tasks.length };
    }),
  ];
}

function toDefinition(task: SimTask): object {
  return {
    id: task.id,
    task_type: task.type,
    description: task.description,
    parameters: {},
    priority: task.priority,
    timeout: null,
    dependencies: [],
    assigned_agents: task.assignedTo,
  };
}

/** Returns the result of a task. Null until the task is started. */
function toResult(world: World, task: SimTask): object | null {
  if (task.startedAtMs === null) return null;
  return {
    task_id: task.id,
    agent_id: task.state === 'cancelled' ? 'system' : (task.assignedTo[0] ?? 'system'),
    status: STATUS_LABELS[task.state],
    result: task.result,
    error: task.state === 'failed' ? 'Task failed' : null,
    started_at: world.timestampAt(task.startedAtMs),
    completed_at: task.endedAtMs === null ? null : world.timestampAt(task.endedAtMs),
    metrics: {},
  };
}
