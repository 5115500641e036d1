/** Type of a simulated server. */
export type SimulatorType = 'claude-flow' | 'ruv-swarm' | 'daa';

/** Activity of a simulated agent. Each server type has its own labels for it. */
export type AgentState = 'starting' | 'idle' | 'active' | 'busy' | 'paused' | 'error' | 'ended';

/** Group of a simulated agent. Only claude-flow has groups besides `plain`. */
export type AgentGroup = 'plain' | 'queen' | 'worker' | 'daa';

export interface SimAgent {
  readonly id: string;
  /** Number of agents spawned before this one. */
  readonly number: number;
  readonly name: string;
  readonly type: string;
  readonly group: AgentGroup;
  readonly swarmId: string | null;
  readonly domain: string | null;
  readonly capabilities: readonly string[];
  readonly learningRate: number;
  readonly createdAtMs: number;
  /** Whether a client spawned the agent. Pinned agents never end by themselves. */
  readonly isPinned: boolean;
  pattern: string;
  state: AgentState;
  /** Status that a client has set. Lasts until the agent's next turn. */
  statusOverride: string | null;
  /** Whether a client has paused the agent. Only a client can resume it. */
  isPausedByClient: boolean;
  /** Health from 0 to 1. */
  health: number;
  touchedAtMs: number;
  endedAtStep: number | null;
  taskId: string | null;
  tasksCompleted: number;
  tasksFailed: number;
  adaptations: number;
}

export type TaskState = 'pending' | 'in_progress' | 'completed' | 'failed' | 'cancelled';

export interface SimTask {
  readonly id: string;
  readonly type: string;
  readonly description: string;
  readonly priority: string;
  readonly strategy: string;
  readonly tags: readonly string[];
  readonly swarmId: string | null;
  readonly createdAtMs: number;
  readonly isPinned: boolean;
  state: TaskState;
  /** Progress in percent, 0 to 100. */
  progress: number;
  assignedTo: readonly string[];
  startedAtMs: number | null;
  endedAtMs: number | null;
  result: Readonly<Record<string, unknown>> | null;
}

export type AgentSpec = Pick<SimAgent, 'type' | 'group'> &
  Partial<
    Pick<
      SimAgent,
      'id' | 'name' | 'swarmId' | 'domain' | 'capabilities' | 'pattern' | 'learningRate' | 'isPinned' | 'state'
    >
  >;

export type TaskSpec = Pick<SimTask, 'type' | 'description'> &
  Partial<Pick<SimTask, 'priority' | 'strategy' | 'tags' | 'swarmId' | 'assignedTo' | 'isPinned'>>;

export interface SimSwarm {
  readonly id: string;
  readonly topology: string;
  readonly strategy: string;
  readonly maxAgents: number;
  readonly createdAtMs: number;
}

export interface SimHive {
  readonly id: string;
  readonly topology: string;
  readonly consensus: string;
  readonly queenId: string;
  readonly createdAtMs: number;
}

export const COGNITIVE_PATTERNS = ['adaptive', 'convergent', 'divergent', 'lateral', 'systems', 'critical'] as const;

export const AGENT_TYPES = {
  'claude-flow': ['coder', 'tester', 'researcher', 'reviewer', 'architect', 'coordinator'],
  'ruv-swarm': ['researcher', 'coder', 'analyst', 'optimizer', 'coordinator'],
  daa: ['treasury', 'trading', 'compliance', 'monitoring', 'research'],
} as const;

export const CAPABILITIES: Readonly<Record<string, readonly string[]>> = {
  analyst: ['data-analysis', 'reporting'],
  architect: ['design', 'interfaces'],
  coder: ['typescript', 'refactoring'],
  compliance: ['audit', 'policy'],
  coordinator: ['planning', 'delegation'],
  monitoring: ['alerting', 'metrics'],
  optimizer: ['profiling', 'tuning'],
  research: ['search', 'summaries'],
  researcher: ['search', 'summaries'],
  reviewer: ['code-review'],
  tester: ['unit-tests', 'fuzzing'],
  trading: ['market-making', 'arbitrage'],
  treasury: ['budgeting', 'risk-management'],
};

export const TASK_TEMPLATES = [
  { type: 'feature', description: 'Add pagination to the list of orders' },
  { type: 'bugfix', description: 'Find out why the cache is never cleared' },
  { type: 'research', description: 'Compare three ways to store sessions' },
  { type: 'refactor', description: 'Split the parser from the printer' },
  { type: 'feature', description: 'Write the import of old invoices' },
  { type: 'bugfix', description: 'Make the failing upload test pass' },
  { type: 'research', description: 'Measure where start-up time goes' },
  { type: 'refactor', description: 'Move configuration into one module' },
] as const;
