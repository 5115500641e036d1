import { z } from 'zod';
import { echoFilters, registeredAgents } from './agent-tools.js';
import { CLAUDE_FLOW_TASK_TOOLS } from './task-tool-definitions.js';
import type { SimTask, TaskState } from '../world/entities.js';
import {
  optionalBoolean,
  optionalNumber,
  optionalRecord,
  optionalText,
  optionalTexts,
  defineTool,
  type SimulatedTool,
} from '../tool.js';
import type { World } from '../world/world.js';

/** Default limit of the real server. Its response does not say whether there are more tasks. */
const DEFAULT_LIMIT = 50;

export function claudeFlowTaskTools(world: World): SimulatedTool[] {
  return [
    defineTool(
      CLAUDE_FLOW_TASK_TOOLS.task_create,
      z.object({
        type: optionalText,
        description: optionalText,
        priority: optionalText,
        assignTo: optionalTexts,
        tags: optionalTexts,
      }),
      ({ type, description, priority, assignTo, tags }) => {
        if (type === null) return { success: false, error: 'Input validation failed: type: Required' };
        if (description === null) return { success: false, error: 'Input validation failed: description: Required' };
        const task = world.createTask({
          type,
          description,
          priority: priority ?? 'normal',
          assignedTo: assignTo ?? [],
          tags: tags ?? [],
        });
        return {
          taskId: task.id,
          type,
          description,
          priority: task.priority,
          status: task.state,
          createdAt: world.now,
          assignedTo: task.assignedTo,
          tags: task.tags,
        };
      },
    ),
    defineTool(CLAUDE_FLOW_TASK_TOOLS.task_status, z.object({ taskId: optionalText }), ({ taskId }) => {
      const task = world.task(taskId);
      return task === undefined ? notFound(taskId) : { ...listed(world, task), ...details(world, task) };
    }),
    defineTool(
      CLAUDE_FLOW_TASK_TOOLS.task_list,
      z.object({
        status: optionalText,
        type: optionalText,
        assignedTo: optionalText,
        priority: optionalText,
        limit: optionalNumber,
      }),
      ({ limit, ...filters }) => {
        const statuses = filters.status?.split(',').map((status) => status.trim());
        const tasks = world
          .tasks()
          .filter(({ state }) => statuses?.includes(state) ?? true)
          .filter(({ type }) => filters.type === null || type === filters.type)
          .filter(({ assignedTo }) => filters.assignedTo === null || assignedTo.includes(filters.assignedTo))
          .filter(({ priority }) => filters.priority === null || priority === filters.priority)
          .reverse()
          .slice(0, Math.max(1, limit ?? DEFAULT_LIMIT))
          .map((task) => listed(world, task));
        return { tasks, total: tasks.length, filters: echoFilters(filters) };
      },
    ),
    defineTool(
      CLAUDE_FLOW_TASK_TOOLS.task_complete,
      z.object({ taskId: optionalText, result: optionalRecord }),
      ({ taskId, result }) => {
        const task = world.task(taskId);
        if (task === undefined) return notFound(taskId);
        world.finish(task, 'completed', result ?? {});
        return { taskId, status: task.state, completedAt: world.now, result: task.result };
      },
    ),
    defineTool(
      CLAUDE_FLOW_TASK_TOOLS.task_update,
      z.object({ taskId: optionalText, status: optionalText, progress: optionalNumber, assignTo: optionalTexts }),
      ({ taskId, status, progress, assignTo }) => {
        const task = world.task(taskId);
        if (task === undefined) return { success: false, taskId, error: 'Task not found' };
        if (assignTo !== null) task.assignedTo = assignTo;
        if (status !== null) setStatus(world, task, status);
        if (progress !== null) task.progress = Math.min(100, Math.max(0, progress));
        return { success: true, taskId, status: task.state, progress: task.progress, assignedTo: task.assignedTo };
      },
    ),
    defineTool(
      CLAUDE_FLOW_TASK_TOOLS.task_assign,
      z.object({ taskId: optionalText, agentIds: optionalTexts, unassign: optionalBoolean }),
      ({ taskId, agentIds, unassign }) => {
        const task = world.task(taskId);
        if (task === undefined) return { success: false, taskId, error: 'Task not found' };
        const requestedIds = unassign === true ? [] : (agentIds ?? []);
        const registered = new Map(registeredAgents(world).map((agent) => [agent.id, agent]));
        const unknown = requestedIds.filter((id) => !registered.has(id));
        if (unknown.length > 0) {
          const error = `Unknown agent${unknown.length > 1 ? 's' : ''}: ${unknown.join(', ')}. Spawn the agent first (agent_spawn) or use agent_list to see available ids.`;
          return { success: false, taskId, error, unknownAgents: unknown };
        }
        const previouslyAssigned = task.assignedTo;
        world.assign(
          task,
          requestedIds.flatMap((id) => registered.get(id) ?? []).filter(({ state }) => state !== 'ended'),
        );
        return { taskId, assignedTo: task.assignedTo, previouslyAssigned, status: task.state };
      },
    ),
    defineTool(CLAUDE_FLOW_TASK_TOOLS.task_summary, z.object({}), () => ({
      total: world.tasks().length,
      pending: world.tasks('pending').length,
      running: world.tasks('in_progress').length,
      completed: world.tasks('completed').length,
      failed: world.tasks('failed').length,
    })),
  ];
}

function notFound(taskId: string | null): object {
  return { taskId, status: 'not_found', error: 'Task not found' };
}

function listed(world: World, task: SimTask): object {
  return {
    taskId: task.id,
    type: task.type,
    description: task.description,
    status: task.state,
    progress: task.progress,
    priority: task.priority,
    assignedTo: task.assignedTo,
    createdAt: world.timestampAt(task.createdAtMs),
  };
}

function details(world: World, task: SimTask): object {
  return {
    tags: task.tags,
    startedAt: task.startedAtMs === null ? null : world.timestampAt(task.startedAtMs),
    completedAt: task.state === 'completed' && task.endedAtMs !== null ? world.timestampAt(task.endedAtMs) : null,
    result: task.result,
  };
}

const OPEN_STATES: ReadonlySet<string> = new Set<TaskState>(['pending', 'in_progress']);

/** Sets the status of a task. Ignores unknown statuses. */
function setStatus(world: World, task: SimTask, status: string): void {
  if (status === 'completed' || status === 'failed' || status === 'cancelled') world.finish(task, status);
  else if (OPEN_STATES.has(status)) {
    const agents = task.assignedTo.map((id) => world.agent(id)).filter((agent) => agent !== undefined);
    if (status === 'in_progress') world.begin(task, agents);
    else world.assign(task, []);
  }
}
