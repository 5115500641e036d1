import type { ToolDefinition } from '../tool.js';

/** Entries of the simulated tools in `tools/list` of the real ruv-swarm. */
export const RUV_SWARM_TOOLS = {
  swarm_init: {
    name: 'swarm_init',
    description: 'Initialize a new swarm with specified topology',
    inputSchema: {
      type: 'object',
      properties: {
        topology: {
          type: 'string',
          enum: ['mesh', 'hierarchical', 'ring', 'star'],
          description: 'Swarm topology type',
        },
        maxAgents: { type: 'number', minimum: 1, maximum: 100, default: 5, description: 'Maximum number of agents' },
        strategy: {
          type: 'string',
          enum: ['balanced', 'specialized', 'adaptive'],
          default: 'balanced',
          description: 'Distribution strategy',
        },
      },
      required: ['topology'],
    },
  },
  swarm_status: {
    name: 'swarm_status',
    description: 'Get current swarm status and agent information',
    inputSchema: {
      type: 'object',
      properties: { verbose: { type: 'boolean', default: false, description: 'Include detailed agent information' } },
    },
  },
  swarm_monitor: {
    name: 'swarm_monitor',
    description: 'Monitor swarm activity in real-time',
    inputSchema: {
      type: 'object',
      properties: {
        duration: { type: 'number', default: 10, description: 'Monitoring duration in seconds' },
        interval: { type: 'number', default: 1, description: 'Update interval in seconds' },
      },
    },
  },
  agent_spawn: {
    name: 'agent_spawn',
    description: 'Spawn a new agent in the swarm',
    inputSchema: {
      type: 'object',
      properties: {
        type: {
          type: 'string',
          enum: ['researcher', 'coder', 'analyst', 'optimizer', 'coordinator'],
          description: 'Agent type',
        },
        name: { type: 'string', description: 'Custom agent name' },
        capabilities: { type: 'array', items: { type: 'string' }, description: 'Agent capabilities' },
      },
      required: ['type'],
    },
  },
  agent_list: {
    name: 'agent_list',
    description: 'List all active agents in the swarm',
    inputSchema: {
      type: 'object',
      properties: {
        filter: {
          type: 'string',
          enum: ['all', 'active', 'idle', 'busy'],
          default: 'all',
          description: 'Filter agents by status',
        },
      },
    },
  },
  agent_metrics: {
    name: 'agent_metrics',
    description: 'Get performance metrics for agents',
    inputSchema: {
      type: 'object',
      properties: {
        agentId: { type: 'string', description: 'Specific agent ID (optional)' },
        metric: { type: 'string', enum: ['all', 'cpu', 'memory', 'tasks', 'performance'], default: 'all' },
      },
    },
  },
  task_orchestrate: {
    name: 'task_orchestrate',
    description: 'Orchestrate a task across the swarm',
    inputSchema: {
      type: 'object',
      properties: {
        task: { type: 'string', description: 'Task description or instructions' },
        strategy: {
          type: 'string',
          enum: ['parallel', 'sequential', 'adaptive'],
          default: 'adaptive',
          description: 'Execution strategy',
        },
        priority: {
          type: 'string',
          enum: ['low', 'medium', 'high', 'critical'],
          default: 'medium',
          description: 'Task priority',
        },
        maxAgents: { type: 'number', minimum: 1, maximum: 10, description: 'Maximum agents to use' },
      },
      required: ['task'],
    },
  },
  task_status: {
    name: 'task_status',
    description: 'Check progress of running tasks',
    inputSchema: {
      type: 'object',
      properties: {
        taskId: { type: 'string', description: 'Specific task ID (optional)' },
        detailed: { type: 'boolean', default: false, description: 'Include detailed progress' },
      },
    },
  },
  task_results: {
    name: 'task_results',
    description: 'Retrieve results from completed tasks',
    inputSchema: {
      type: 'object',
      properties: {
        taskId: { type: 'string', description: 'Task ID to retrieve results for' },
        format: {
          type: 'string',
          enum: ['summary', 'detailed', 'raw'],
          default: 'summary',
          description: 'Result format',
        },
      },
      required: ['taskId'],
    },
  },
  features_detect: {
    name: 'features_detect',
    description: 'Detect runtime features and capabilities',
    inputSchema: {
      type: 'object',
      properties: {
        category: {
          type: 'string',
          enum: ['all', 'wasm', 'simd', 'memory', 'platform'],
          default: 'all',
          description: 'Feature category',
        },
      },
    },
  },
  memory_usage: {
    name: 'memory_usage',
    description: 'Get current memory usage statistics',
    inputSchema: {
      type: 'object',
      properties: {
        detail: {
          type: 'string',
          enum: ['summary', 'detailed', 'by-agent'],
          default: 'summary',
          description: 'Detail level',
        },
      },
    },
  },
  neural_status: {
    name: 'neural_status',
    description: 'Get neural agent status and performance metrics',
    inputSchema: {
      type: 'object',
      properties: { agentId: { type: 'string', description: 'Specific agent ID (optional)' } },
    },
  },
  daa_init: {
    name: 'daa_init',
    description: 'Initialize DAA (Decentralized Autonomous Agents) service',
    inputSchema: {
      type: 'object',
      properties: {
        enableLearning: { type: 'boolean', description: 'Enable autonomous learning' },
        enableCoordination: { type: 'boolean', description: 'Enable peer coordination' },
        persistenceMode: { type: 'string', enum: ['auto', 'memory', 'disk'], description: 'Persistence mode' },
      },
    },
  },
  daa_agent_create: {
    name: 'daa_agent_create',
    description: 'Create an autonomous agent with DAA capabilities',
    inputSchema: {
      type: 'object',
      properties: {
        id: { type: 'string', description: 'Unique agent identifier' },
        capabilities: { type: 'array', items: { type: 'string' }, description: 'Agent capabilities' },
        cognitivePattern: {
          type: 'string',
          enum: ['convergent', 'divergent', 'lateral', 'systems', 'critical', 'adaptive'],
          description: 'Cognitive thinking pattern',
        },
        learningRate: { type: 'number', description: 'Learning rate (0-1)' },
        enableMemory: { type: 'boolean', description: 'Enable persistent memory' },
      },
      required: ['id'],
    },
  },
  daa_learning_status: {
    name: 'daa_learning_status',
    description: 'Get learning progress and status for DAA agents',
    inputSchema: {
      type: 'object',
      properties: {
        agentId: { type: 'string', description: 'Specific agent ID (optional)' },
        detailed: { type: 'boolean', description: 'Include detailed metrics' },
      },
    },
  },
} as const satisfies Record<string, ToolDefinition>;
