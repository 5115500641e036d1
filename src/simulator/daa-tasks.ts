import { z } from 'zod';
import { DAA_TOOLS } from './daa-tools.js';
import type { SimTask, TaskState } from './inhabitants.js';
import { PlainText, text, texts, tool, ToolFailure, type Tool } from './tool.js';
import type { World } from './world.js';

const WORDS: Readonly<Record<TaskState, string>> = {
  pending: 'pending',
  in_progress: 'running',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
};

const filters = z.object({ status: text, agent_id: text, task_type: text }).nullish().catch(null);

export function daaTaskTools(world: World): Tool[] {
  const find = (id: string | null): SimTask => {
    if (id === null) throw new ToolFailure('Protocol error: Missing task_id');
    const task = world.task(id);
    if (task === undefined) throw new ToolFailure(`Protocol error: Task not found: ${id}`);
    return task;
  };
  return [
    tool(
      DAA_TOOLS.create_task,
      z.object({ task_type: text, description: text, priority: text, assigned_agents: texts }),
      ({ task_type: type, description, priority, assigned_agents: assignedTo }) => {
        if (type === null) throw new ToolFailure('Protocol error: Missing task_type');
        if (description === null) throw new ToolFailure('Protocol error: Missing description');
        const spec = { type, description, priority: priority ?? 'medium', assignedTo: assignedTo ?? [] };
        return new PlainText(`Successfully created task with ID: ${world.createTask(spec).id}`);
      },
    ),
    tool(
      DAA_TOOLS.assign_task,
      z.object({ task_id: text, agent_ids: texts }),
      ({ task_id: taskId, agent_ids: agentIds }) => {
        const task = find(taskId);
        if (agentIds === null) throw new ToolFailure('Protocol error: Missing agent_ids');
        const agents = agentIds.map((id) => world.agent(id)).filter((agent) => agent !== undefined);
        world.assign(
          task,
          agents.filter(({ state }) => state !== 'ended'),
        );
        return new PlainText(`Successfully assigned task ${task.id} to ${agentIds.length} agents`);
      },
    ),
    tool(DAA_TOOLS.cancel_task, z.object({ task_id: text }), ({ task_id: taskId }) => {
      world.finish(find(taskId), 'cancelled');
      return new PlainText(`Successfully cancelled task: ${String(taskId)}`);
    }),
    tool(DAA_TOOLS.list_tasks, z.object({ filter: filters }), ({ filter }) => {
      const tasks = world
        .tasks()
        .filter(({ state }) => filter?.status == null || WORDS[state] === filter.status)
        .map((task) => ({ task: definitionOf(task), result: resultOf(world, task), status: WORDS[task.state] }));
      return { tasks, total_count: tasks.length };
    }),
  ];
}

function definitionOf(task: SimTask): object {
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

/** There is one as soon as the task has been started. */
function resultOf(world: World, task: SimTask): object | null {
  if (task.startedAtMs === null) return null;
  return {
    task_id: task.id,
    agent_id: task.state === 'cancelled' ? 'system' : (task.assignedTo[0] ?? 'system'),
    status: WORDS[task.state],
    result: task.result,
    error: task.state === 'failed' ? 'Task failed' : null,
    started_at: world.at(task.startedAtMs),
    completed_at: task.endedAtMs === null ? null : world.at(task.endedAtMs),
    metrics: {},
  };
}
