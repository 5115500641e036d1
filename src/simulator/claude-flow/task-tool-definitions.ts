import type { ToolDefinition } from '../tool.js';

/** Entries of the simulated task tools in `tools/list` of the real claude-flow. */
export const CLAUDE_FLOW_TASK_TOOLS = {
  task_create: {
    name: 'task_create',
    description: 'Create a new task',
    inputSchema: {
      type: 'object',
      properties: {
        type: { type: 'string', description: 'Task type (feature, bugfix, research, refactor)' },
        description: { type: 'string', description: 'Task description' },
        priority: { type: 'string', description: 'Task priority (low, normal, high, critical)' },
        assignTo: { type: 'array', items: { type: 'string' }, description: 'Agent IDs to assign' },
        tags: { type: 'array', items: { type: 'string' }, description: 'Task tags' },
      },
      required: ['type', 'description'],
    },
  },
  task_status: {
    name: 'task_status',
    description: 'Get task status',
    inputSchema: {
      type: 'object',
      properties: { taskId: { type: 'string', description: 'Task ID' } },
      required: ['taskId'],
    },
  },
  task_list: {
    name: 'task_list',
    description: 'List all tasks',
    inputSchema: {
      type: 'object',
      properties: {
        status: { type: 'string', description: 'Filter by status' },
        type: { type: 'string', description: 'Filter by type' },
        assignedTo: { type: 'string', description: 'Filter by assigned agent' },
        priority: { type: 'string', description: 'Filter by priority' },
        limit: { type: 'number', description: 'Max tasks to return' },
      },
    },
  },
  task_complete: {
    name: 'task_complete',
    description: 'Mark task as complete',
    inputSchema: {
      type: 'object',
      properties: {
        taskId: { type: 'string', description: 'Task ID' },
        result: { type: 'object', description: 'Task result data' },
      },
      required: ['taskId'],
    },
  },
  task_update: {
    name: 'task_update',
    description: 'Update task status or progress',
    inputSchema: {
      type: 'object',
      properties: {
        taskId: { type: 'string', description: 'Task ID' },
        status: { type: 'string', description: 'New status' },
        progress: { type: 'number', description: 'Progress percentage (0-100)' },
        assignTo: { type: 'array', items: { type: 'string' }, description: 'Agent IDs to assign' },
      },
      required: ['taskId'],
    },
  },
  task_assign: {
    name: 'task_assign',
    description: 'Assign a task to one or more agents',
    inputSchema: {
      type: 'object',
      properties: {
        taskId: { type: 'string', description: 'Task ID to assign' },
        agentIds: { type: 'array', items: { type: 'string' }, description: 'Agent IDs to assign' },
        unassign: { type: 'boolean', description: 'Unassign all agents from task' },
      },
      required: ['taskId'],
    },
  },
  task_summary: {
    name: 'task_summary',
    description: 'Get a summary of all tasks by status',
    inputSchema: { type: 'object', properties: {} },
  },
} as const satisfies Record<string, ToolDefinition>;
