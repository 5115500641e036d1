import type { MappedAgentField, MappedEdgeField, MappedSwarmField, MappedTaskField } from '../../adapters/index.js';
import { mapNeuralFields, mapPerformanceFields } from '../../model/index.js';

// Records instead of lists, so that the compiler reports a missing name.
const AGENT_FIELDS: Readonly<Record<MappedAgentField, true>> = {
  id: true,
  name: true,
  type: true,
  status: true,
  swarmId: true,
  parentId: true,
  title: true,
  workspace: true,
  role: true,
  model: true,
  currentTaskId: true,
  capabilities: true,
  createdAt: true,
  lastActiveAt: true,
  ...mapPerformanceFields(() => true as const),
  ...mapNeuralFields(
    () => true as const,
    () => true as const,
  ),
};

const SWARM_FIELDS: Readonly<Record<MappedSwarmField, true>> = {
  id: true,
  name: true,
  status: true,
  topology: true,
  strategy: true,
  maxAgents: true,
  tasksTotal: true,
  tasksActive: true,
  tasksCompleted: true,
  createdAt: true,
  agentIds: true,
};

const TASK_FIELDS: Readonly<Record<MappedTaskField, true>> = {
  id: true,
  title: true,
  status: true,
  swarmId: true,
  agentIds: true,
  dependsOnIds: true,
  createdAt: true,
  startedAt: true,
  endedAt: true,
};

const EDGE_FIELDS: Readonly<Record<MappedEdgeField, true>> = { from: true, to: true, relation: true, swarmId: true };

/** Names of the fields that a mapping can fill. */
export const MAPPED_FIELDS = {
  // Object.keys drops the key type; the records are closed.
  agents: Object.keys(AGENT_FIELDS) as readonly MappedAgentField[],
  // As above.
  swarms: Object.keys(SWARM_FIELDS) as readonly MappedSwarmField[],
  // As above.
  tasks: Object.keys(TASK_FIELDS) as readonly MappedTaskField[],
  // As above.
  edges: Object.keys(EDGE_FIELDS) as readonly MappedEdgeField[],
};

/** Keys of a mapping, for hints at misspellings. */
export const MAPPING_KEYS: readonly string[] = [
  ...[
    'tool',
    'resource',
    'arguments',
    'list',
    'map',
    'one',
    'pattern',
    'text',
    'where',
    'empty',
    'pages',
    'join',
    'detail',
  ],
  ...[
    'agents',
    'swarms',
    'tasks',
    'edges',
    'fields',
    'statuses',
    'path',
    'scale',
    'value',
    'template',
    'cursor',
    'argument',
    'max',
  ],
  ...['on', 'to', 'not', 'exists', 'all'],
  ...Object.values(MAPPED_FIELDS).flat(),
  // Two letters are similar to any short key.
].filter(({ length }) => length > 2);
