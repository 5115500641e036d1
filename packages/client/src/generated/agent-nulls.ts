/** Nullable fields of an agent whose types are not objects. */
export const NULL_AGENT_FIELDS = {
  createdAt: null,
  currentTaskId: null,
  lastActiveAt: null,
  model: null,
  parentId: null,
  swarmId: null,
  title: null,
  workspace: null,
} as const;

/** Nullable objects of an agent, each with its own nullable fields. */
export const NULL_AGENT_OBJECTS = {
  activity: {
    detail: null,
    label: null,
    since: null,
    waitingFor: null,
  },
  context: {
    limitTokens: null,
    usedRatio: null,
    usedTokens: null,
  },
  neural: {
    adaptations: null,
    cognitivePattern: null,
    learningRate: null,
    networkId: null,
  },
  performance: {
    activityLevel: null,
    cpuUsage: null,
    healthScore: null,
    memoryUsage: null,
    responseTimeMs: null,
    successRate: null,
    tasksActive: null,
    tasksCompleted: null,
    tasksFailed: null,
    throughput: null,
    tokenRate: null,
    tokenUsage: null,
  },
  topology: {
    depth: null,
    parentId: null,
    role: null,
  },
  usage: {
    cacheReadTokens: null,
    cacheWriteTokens: null,
    costUsd: null,
    inputTokens: null,
    outputTokens: null,
    totalTokens: null,
  },
} as const;
