import type { ToolDefinition } from '../tool.js';

/** Entries of the simulated hive and DAA tools in `tools/list` of the real claude-flow. */
export const CLAUDE_FLOW_HIVE_TOOLS = {
  'hive-mind_spawn': {
    name: 'hive-mind_spawn',
    description: 'Spawn workers and automatically join them to the hive-mind (combines agent/spawn + hive-mind/join)',
    inputSchema: {
      type: 'object',
      properties: {
        count: { type: 'number', description: 'Number of workers to spawn (default: 1)', default: 1 },
        role: {
          type: 'string',
          enum: ['worker', 'specialist', 'scout'],
          description: 'Worker role in hive',
          default: 'worker',
        },
        agentType: { type: 'string', description: 'Agent type for spawned workers', default: 'worker' },
        prefix: { type: 'string', description: 'Prefix for worker IDs', default: 'hive-worker' },
      },
    },
  },
  'hive-mind_init': {
    name: 'hive-mind_init',
    description: 'Initialize the hive-mind collective',
    inputSchema: {
      type: 'object',
      properties: {
        topology: { type: 'string', enum: ['mesh', 'hierarchical', 'ring', 'star'], description: 'Network topology' },
        consensus: {
          type: 'string',
          enum: ['raft', 'byzantine', 'gossip', 'crdt', 'quorum'],
          description: 'Consensus strategy. Default: raft (anti-drift). Use byzantine for f<n/3 fault tolerance.',
        },
        queenId: { type: 'string', description: 'Initial queen agent ID' },
      },
    },
  },
  'hive-mind_status': {
    name: 'hive-mind_status',
    description: 'Get hive-mind status',
    inputSchema: {
      type: 'object',
      properties: { verbose: { type: 'boolean', description: 'Include detailed information' } },
    },
  },
  daa_agent_create: {
    name: 'daa_agent_create',
    description: 'Create a decentralized autonomous agent',
    inputSchema: {
      type: 'object',
      properties: {
        id: { type: 'string', description: 'Agent ID' },
        name: { type: 'string', description: 'Agent name' },
        type: { type: 'string', description: 'Agent type' },
        cognitivePattern: {
          type: 'string',
          enum: ['convergent', 'divergent', 'lateral', 'systems', 'critical', 'adaptive'],
          description: 'Cognitive pattern',
        },
        learningRate: { type: 'number', description: 'Learning rate (0-1)' },
        enableMemory: { type: 'boolean', description: 'Enable persistent memory' },
        capabilities: { type: 'array', items: { type: 'string' }, description: 'Agent capabilities' },
      },
      required: ['id'],
    },
  },
  daa_learning_status: {
    name: 'daa_learning_status',
    description: 'Get learning status for DAA agents',
    inputSchema: {
      type: 'object',
      properties: {
        agentId: { type: 'string', description: 'Specific agent ID' },
        detailed: { type: 'boolean', description: 'Include detailed metrics' },
      },
    },
  },
  daa_cognitive_pattern: {
    name: 'daa_cognitive_pattern',
    description: 'Analyze or change cognitive patterns',
    inputSchema: {
      type: 'object',
      properties: {
        agentId: { type: 'string', description: 'Agent ID' },
        action: { type: 'string', enum: ['analyze', 'change'], description: 'Action' },
        pattern: {
          type: 'string',
          enum: ['convergent', 'divergent', 'lateral', 'systems', 'critical', 'adaptive'],
          description: 'New pattern',
        },
      },
    },
  },
} as const satisfies Record<string, ToolDefinition>;
