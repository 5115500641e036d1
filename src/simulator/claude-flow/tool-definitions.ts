import type { ToolDefinition } from '../tool.js';

/** Entries of the simulated agent, swarm and system tools in `tools/list` of the real claude-flow. */
export const CLAUDE_FLOW_TOOLS = {
  agent_spawn: {
    name: 'agent_spawn',
    description: 'Spawn a Ruflo-tracked agent with cost attribution + memory persistence + swarm coordination.',
    inputSchema: {
      type: 'object',
      properties: {
        agentType: { type: 'string', description: 'Type of agent to spawn' },
        agentId: { type: 'string', description: 'Optional custom agent ID' },
        swarmId: {
          type: 'string',
          description: 'Optional swarm to register the agent with (defaults to most-recent swarm)',
        },
        config: { type: 'object', description: 'Agent configuration' },
        domain: { type: 'string', description: 'Agent domain' },
        model: {
          type: 'string',
          enum: ['haiku', 'sonnet', 'opus', 'opus-4.7', 'inherit'],
          description:
            'Claude model alias (haiku=fast/cheap, sonnet=balanced, opus=current Opus 4.8, opus-4.7=prior Opus pin)',
        },
        task: { type: 'string', description: 'Task description for intelligent model routing' },
        memoryBase: {
          type: 'string',
          description:
            'Opt-in: base .rvf memory file to fork a per-agent Copy-On-Write branch from (agenticow). When set, the agent gets an isolated ~162-byte COW branch instead of a full copy — promote on success, discard on terminate. Requires the optional `agenticow` dep; degrades to a no-op when absent or when CLAUDE_FLOW_NO_COW_MEMORY=1.',
        },
        memoryDimension: {
          type: 'integer',
          description: 'Vector dimension for the COW base (required only when memoryBase does not exist yet)',
        },
      },
      required: ['agentType'],
    },
  },
  agent_terminate: {
    name: 'agent_terminate',
    description: 'Remove a Ruflo-tracked agent from the registry and free its swarm slot.',
    inputSchema: {
      type: 'object',
      properties: {
        agentId: { type: 'string', description: 'ID of agent to terminate' },
        force: { type: 'boolean', description: 'Force immediate termination' },
        promoteMemory: {
          type: 'boolean',
          description:
            'When the agent has a per-agent COW memory branch (spawned with memoryBase), promote (merge) its edits into the shared base on terminate. Default false → discard the branch (throw its edits away). No-op when the agent has no branch.',
        },
      },
      required: ['agentId'],
    },
  },
  agent_status: {
    name: 'agent_status',
    description:
      'Read the lifecycle state of a single tracked agent: idle/running/stopped, current taskCount, lastResult, model, health score.',
    inputSchema: {
      type: 'object',
      properties: { agentId: { type: 'string', description: 'ID of agent' } },
      required: ['agentId'],
    },
  },
  agent_list: {
    name: 'agent_list',
    description: 'List every Ruflo-tracked agent in the registry with its type, model, status, and taskCount.',
    inputSchema: {
      type: 'object',
      properties: {
        status: { type: 'string', description: 'Filter by status' },
        domain: { type: 'string', description: 'Filter by domain' },
        includeTerminated: { type: 'boolean', description: 'Include terminated agents' },
      },
    },
  },
  agent_health: {
    name: 'agent_health',
    description: "Compute an agent's rolling health score",
    inputSchema: {
      type: 'object',
      properties: {
        agentId: { type: 'string', description: 'Specific agent ID (optional)' },
        threshold: { type: 'number', description: 'Health threshold (0-1)' },
      },
    },
  },
  agent_update: {
    name: 'agent_update',
    description: "Mutate a tracked agent's config (model, instructions, status, health) without re-spawning.",
    inputSchema: {
      type: 'object',
      properties: {
        agentId: { type: 'string', description: 'ID of agent' },
        status: { type: 'string', description: 'New status' },
        health: { type: 'number', description: 'Health value (0-1)' },
        taskCount: { type: 'number', description: 'Task count' },
        config: { type: 'object', description: 'Config updates' },
      },
      required: ['agentId'],
    },
  },
  swarm_init: {
    name: 'swarm_init',
    description: 'Initialize a swarm with persistent state tracking',
    inputSchema: {
      type: 'object',
      properties: {
        topology: {
          type: 'string',
          description:
            'Swarm topology type (hierarchical, mesh, hierarchical-mesh, ring, star, hybrid, adaptive, pheromone-adaptive)',
        },
        maxAgents: { type: 'number', description: 'Maximum number of agents (1-50)' },
        strategy: { type: 'string', description: 'Agent strategy (specialized, balanced, adaptive)' },
        config: { type: 'object', description: 'Additional swarm configuration' },
      },
    },
  },
  swarm_status: {
    name: 'swarm_status',
    description: 'Get swarm status from persistent state',
    inputSchema: {
      type: 'object',
      properties: { swarmId: { type: 'string', description: 'Swarm ID (omit for most recent)' } },
    },
  },
  swarm_health: {
    name: 'swarm_health',
    description: 'Check swarm health status with real state inspection',
    inputSchema: { type: 'object', properties: { swarmId: { type: 'string', description: 'Swarm ID to check' } } },
  },
  system_status: {
    name: 'system_status',
    description: 'Get overall system status',
    inputSchema: {
      type: 'object',
      properties: {
        verbose: { type: 'boolean', description: 'Include detailed information' },
        components: { type: 'array', items: { type: 'string' }, description: 'Specific components to check' },
      },
    },
  },
  coordination_topology: {
    name: 'coordination_topology',
    description: 'Configure swarm topology',
    inputSchema: {
      type: 'object',
      properties: {
        action: { type: 'string', enum: ['get', 'set', 'optimize'], description: 'Action to perform' },
        type: {
          type: 'string',
          enum: ['mesh', 'hierarchical', 'ring', 'star', 'hybrid', 'hierarchical-mesh'],
          description: 'Topology type',
        },
        maxNodes: { type: 'number', description: 'Maximum nodes' },
        redundancy: { type: 'number', description: 'Redundancy level' },
        consensusAlgorithm: {
          type: 'string',
          enum: ['raft', 'byzantine', 'gossip', 'crdt'],
          description: 'Consensus algorithm',
        },
      },
    },
  },
} as const satisfies Record<string, ToolDefinition>;
