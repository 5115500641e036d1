import type { TypedDocument } from '../typed-document.js';
export type Maybe<T> = T | null;
export type InputMaybe<T> = Maybe<T>;
export type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
export type MakeOptional<T, K extends keyof T> = Omit<T, K> & { [SubKey in K]?: Maybe<T[SubKey]> };
export type MakeMaybe<T, K extends keyof T> = Omit<T, K> & { [SubKey in K]: Maybe<T[SubKey]> };
export type MakeEmpty<T extends { [key: string]: unknown }, K extends keyof T> = { [_ in K]?: never };
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string; }
  String: { input: string; output: string; }
  Boolean: { input: boolean; output: boolean; }
  Int: { input: number; output: number; }
  Float: { input: number; output: number; }
  /** Point in time: RFC 3339, UTC, with milliseconds, for example `2026-11-23T15:02:56.464Z`. */
  DateTime: { input: string; output: string; }
  /** Any JSON value. */
  JSON: { input: unknown; output: unknown; }
};

/** Kind of the work that an agent does now. */
export type ActivityKind =
  /** Compacts its context. */
  | 'COMPACTING'
  /** Waits for an answer of its model. */
  | 'MODEL'
  /** Runs a tool. */
  | 'TOOL'
  /** Waits for a person. */
  | 'WAITING';

/** Activity of an agent, normalized across server types. */
export type AgentStatus =
  /** Working, or ready if the server does not distinguish the two. */
  | 'ACTIVE'
  /** Working. */
  | 'BUSY'
  /** Failed. */
  | 'ERROR'
  /** Ready, without work. */
  | 'IDLE'
  /** Started, but not ready yet. */
  | 'INITIALIZING'
  /** Known to its server, but unreachable for it. */
  | 'OFFLINE'
  /** Paused; does no work until it is resumed. */
  | 'PAUSED'
  /** Terminated. */
  | 'TERMINATED'
  /** The server reports no status, or one without a counterpart here. */
  | 'UNKNOWN'
  /** Blocked until a person acts. See `activity.waitingFor`. */
  | 'WAITING';

/** Result of probing a discovery candidate. */
export type CandidateStatus =
  /** The endpoint answered as an MCP server. */
  | 'AVAILABLE'
  /** The server is configured and was therefore not probed. */
  | 'CONFIGURED'
  /** Listed in a file, or a coding agent on this machine; neither started nor probed. */
  | 'LISTED'
  /** The endpoint speaks another protocol than MCP. */
  | 'NOT_MCP'
  /** The endpoint requires authentication. */
  | 'REFUSED'
  /** Listed in a file, but nothing listens; or something listens, but has not answered within the probe timeout. */
  | 'UNREACHABLE';

/** State of a circuit breaker. */
export type CircuitState =
  /** Calls are executed. */
  | 'CLOSED'
  /** One probe is executed. Its result closes the breaker or opens it again. */
  | 'HALF_OPEN'
  /** Too many consecutive calls failed. Calls are rejected until `retryAt`. */
  | 'OPEN';

/** Overall health, derived from the status of the servers. */
export type HealthStatus =
  /** At least one server is not ONLINE, but not all are OFFLINE or CONNECTING. */
  | 'DEGRADED'
  /** All servers are ONLINE, or there is no server. Tapped servers whose session has ended do not count. */
  | 'HEALTHY'
  /** No server is ONLINE or DEGRADED. */
  | 'UNHEALTHY';

/** Type of an MCP server. A server has the type of its main tools, an agent the type of the tools that reported it. */
export type McpServerType =
  /** Observer of Claude Code sessions and their subagents. */
  | 'CLAUDE_CODE'
  /** Server claude-flow, also called ruflo. */
  | 'CLAUDE_FLOW'
  /** Observer of Codex sessions and their child threads. */
  | 'CODEX'
  /** Any other MCP server, read through a mapping. */
  | 'CUSTOM'
  /** Decentralized autonomous agents: the server of the DAA project, or the DAA tools of claude-flow. */
  | 'DAA'
  /** Server ruv-swarm. */
  | 'RUV_SWARM';

/** Severity of a notice. */
export type NoticeSeverity =
  /** A server or a function has failed. */
  | 'ERROR'
  /** Informational; no action is needed. */
  | 'INFO'
  /** Data is incomplete or delayed. */
  | 'WARNING';

/** Maximum update rate of a stream. Nothing is sent if nothing changed. */
export type PerformanceMode =
  /** Up to 60 updates per second. */
  | 'HIGH_FREQUENCY'
  /** Up to one update per second. */
  | 'LOW_FREQUENCY'
  /** Up to 10 updates per second. */
  | 'NORMAL'
  /** Updates only after `requestAgentUpdate`. */
  | 'ON_DEMAND';

/** Availability of a server. */
export type ServerStatus =
  /** Not connected yet. */
  | 'CONNECTING'
  /** Answering, but a tool or a replica fails, or a response is overdue. See `lastError`. */
  | 'DEGRADED'
  /** Unreachable, or the circuit breaker is open. swarmlens reconnects automatically, unless `lastError` states that it has stopped trying. */
  | 'OFFLINE'
  /** Connected and answering. */
  | 'ONLINE';

/** Status of a task, normalized across server types. */
export type TaskStatus =
  /** Waiting for another task or for a person. */
  | 'BLOCKED'
  /** Ended without a result, because it was canceled. */
  | 'CANCELED'
  /** Ended successfully. */
  | 'COMPLETED'
  /** Ended with a failure. */
  | 'FAILED'
  /** Started and not ended. */
  | 'IN_PROGRESS'
  /** Not started yet. */
  | 'PENDING'
  /** The server reports no status, or one without a counterpart here. */
  | 'UNKNOWN';

/** Standard topology of a swarm. */
export type TopologyKind =
  /** One agent leads the other agents. */
  | 'HIERARCHICAL'
  /** All agents are connected to each other. */
  | 'MESH'
  /** Another topology. See `topologyName`. */
  | 'OTHER'
  /** Each agent is connected to the next one. */
  | 'RING'
  /** All agents are connected to a central agent. */
  | 'STAR';

/** Transport of the MCP session with a server. */
export type TransportKind =
  /** MCP streamable HTTP. */
  | 'HTTP'
  /** HTTP with server-sent events, the legacy HTTP transport of MCP. */
  | 'SSE'
  /** Standard input and output of a child process. */
  | 'STDIO'
  /** Session of another MCP client, observed through `swarmlens tap`. */
  | 'TAP'
  /** TCP with newline-delimited JSON-RPC. */
  | 'TCP'
  /** WebSocket with JSON-RPC messages. */
  | 'WS';

/** Kind of an update: complete state or changes. */
export type UpdateKind =
  /** Changes since the previous update, or since `after`. */
  | 'DELTA'
  /** Complete state of everything that matches. Replaces everything received before. */
  | 'SNAPSHOT';

/** Reason for which an agent waits for a person. */
export type WaitReason =
  /** The agent asked a question. */
  | 'ANSWER'
  /** Another reason, or an unknown one. */
  | 'OTHER'
  /** A tool call needs a permission. */
  | 'PERMISSION'
  /** A plan needs an approval. */
  | 'PLAN_APPROVAL';

export type AgentUpdatesSubscriptionVariables = Exact<{
  serverTypes?: InputMaybe<ReadonlyArray<McpServerType>>;
  agentTypes?: InputMaybe<ReadonlyArray<Scalars['String']['input']>>;
  swarmIds?: InputMaybe<ReadonlyArray<Scalars['ID']['input']>>;
  includePerformance?: InputMaybe<Scalars['Boolean']['input']>;
  includeNeural?: InputMaybe<Scalars['Boolean']['input']>;
  includeTopology?: InputMaybe<Scalars['Boolean']['input']>;
  mode?: InputMaybe<PerformanceMode>;
  after?: InputMaybe<Scalars['ID']['input']>;
}>;


export type AgentUpdatesSubscription = { readonly agentUpdates: { readonly kind: UpdateKind, readonly cursor: string, readonly timestamp: string, readonly removedAgentIds: ReadonlyArray<string>, readonly staleServerIds: ReadonlyArray<string>, readonly agents: ReadonlyArray<AgentFragment>, readonly performanceMetrics: PerformanceMetricsFragment | null, readonly topologyChanges: ReadonlyArray<TopologyChangeFragment> | null, readonly rate: { readonly requestedHz: number, readonly effectiveHz: number } } };

export type AgentPatchesSubscriptionVariables = Exact<{
  serverTypes?: InputMaybe<ReadonlyArray<McpServerType>>;
  agentTypes?: InputMaybe<ReadonlyArray<Scalars['String']['input']>>;
  swarmIds?: InputMaybe<ReadonlyArray<Scalars['ID']['input']>>;
  includePerformance?: InputMaybe<Scalars['Boolean']['input']>;
  includeNeural?: InputMaybe<Scalars['Boolean']['input']>;
  includeTopology?: InputMaybe<Scalars['Boolean']['input']>;
  mode?: InputMaybe<PerformanceMode>;
  after: Scalars['ID']['input'];
}>;


export type AgentPatchesSubscription = { readonly agentUpdates: { readonly kind: UpdateKind, readonly cursor: string, readonly timestamp: string, readonly removedAgentIds: ReadonlyArray<string>, readonly staleServerIds: ReadonlyArray<string>, readonly patches: ReadonlyArray<{ readonly id: string, readonly patch: unknown }>, readonly topologyChanges: ReadonlyArray<TopologyChangeFragment> | null, readonly rate: { readonly requestedHz: number, readonly effectiveHz: number } } };

export type TopologyUpdatesSubscriptionVariables = Exact<{
  serverTypes?: InputMaybe<ReadonlyArray<McpServerType>>;
  swarmIds?: InputMaybe<ReadonlyArray<Scalars['ID']['input']>>;
  mode?: InputMaybe<PerformanceMode>;
  after?: InputMaybe<Scalars['ID']['input']>;
}>;


export type TopologyUpdatesSubscription = { readonly agentUpdates: { readonly kind: UpdateKind, readonly cursor: string, readonly timestamp: string, readonly staleServerIds: ReadonlyArray<string>, readonly topologyChanges: ReadonlyArray<TopologyChangeFragment> | null, readonly rate: { readonly requestedHz: number, readonly effectiveHz: number } } };

export type PerformanceMetricsFragment = { readonly totalAgents: number, readonly activeAgents: number, readonly staleAgents: number, readonly meanCpuUsage: number | null, readonly meanMemoryUsage: number | null, readonly meanHealthScore: number | null, readonly meanSuccessRate: number | null, readonly meanResponseTimeMs: number | null, readonly tasksActive: number | null, readonly tasksCompleted: number | null, readonly tasksFailed: number | null, readonly throughput: number | null, readonly tokenRate: number | null, readonly tokenUsage: number | null, readonly agentsByStatus: ReadonlyArray<{ readonly status: AgentStatus, readonly count: number }> };

export type SwarmFragment = { readonly id: string, readonly nativeId: string, readonly serverId: string, readonly serverType: McpServerType, readonly name: string | null, readonly topology: TopologyKind | null, readonly topologyName: string | null, readonly strategy: string | null, readonly status: string | null, readonly agentCount: number, readonly maxAgents: number | null, readonly tasksActive: number | null, readonly tasksCompleted: number | null, readonly tasksTotal: number | null, readonly stale: boolean, readonly createdAt: string | null };

export type TopologyEdgeFragment = { readonly id: string, readonly swarmId: string, readonly from: string, readonly to: string, readonly relation: string, readonly inferred: boolean };

export type TopologyChangeFragment = { readonly kind: UpdateKind, readonly swarmId: string, readonly removedEdgeIds: ReadonlyArray<string>, readonly swarm: SwarmFragment | null, readonly edges: ReadonlyArray<TopologyEdgeFragment> };

export type CircuitBreakerFragment = { readonly state: CircuitState, readonly consecutiveFailures: number, readonly openedAt: string | null, readonly retryAt: string | null };

export type LatencyFragment = { readonly p50Ms: number | null, readonly p95Ms: number | null, readonly p99Ms: number | null };

export type McpServerFragment = { readonly id: string, readonly type: McpServerType, readonly name: string, readonly version: string | null, readonly transport: TransportKind, readonly status: ServerStatus, readonly tools: ReadonlyArray<string>, readonly agentCount: number, readonly stale: boolean, readonly simulated: boolean, readonly connectedAt: string | null, readonly lastSeenAt: string | null, readonly lastError: string | null, readonly staleSince: string | null, readonly circuitBreaker: CircuitBreakerFragment, readonly latency: LatencyFragment, readonly replicas: ReadonlyArray<{ readonly id: string, readonly status: ServerStatus, readonly inUse: boolean, readonly inFlight: number, readonly lastError: string | null, readonly restarts: number, readonly lastAnsweredAt: string | null, readonly lastProbedAt: string | null, readonly latency: LatencyFragment, readonly circuitBreaker: CircuitBreakerFragment }> };

export type ToolHealthFragment = { readonly name: string, readonly calls: number, readonly failures: number, readonly consecutiveFailures: number, readonly lastError: string | null, readonly lastFailedAt: string | null, readonly latency: LatencyFragment };

export type DiscoveryFragment = { readonly timestamp: string, readonly totalAgents: number, readonly servers: ReadonlyArray<McpServerFragment>, readonly swarms: ReadonlyArray<SwarmFragment> };

export type TaskFragment = { readonly id: string, readonly nativeId: string, readonly serverId: string, readonly serverType: McpServerType, readonly swarmId: string | null, readonly title: string | null, readonly status: TaskStatus, readonly agentIds: ReadonlyArray<string>, readonly dependsOnIds: ReadonlyArray<string>, readonly createdAt: string | null, readonly startedAt: string | null, readonly endedAt: string | null, readonly stale: boolean };

export type CallToolMutationVariables = Exact<{
  serverId: Scalars['ID']['input'];
  tool: Scalars['String']['input'];
  arguments?: InputMaybe<Scalars['JSON']['input']>;
}>;


export type CallToolMutation = { readonly callTool: { readonly serverId: string, readonly tool: string, readonly isError: boolean, readonly content: unknown | null, readonly durationMs: number } };

export type RefreshDiscoveryMutationVariables = Exact<{ [key: string]: never; }>;


export type RefreshDiscoveryMutation = { readonly refreshDiscovery: DiscoveryFragment };

export type RequestAgentUpdateMutationVariables = Exact<{
  serverIds?: InputMaybe<ReadonlyArray<Scalars['ID']['input']>>;
}>;


export type RequestAgentUpdateMutation = { readonly requestAgentUpdate: { readonly serverIds: ReadonlyArray<string>, readonly unansweredServerIds: ReadonlyArray<string>, readonly timestamp: string } };

export type SetMaxHzMutationVariables = Exact<{
  maxHz?: InputMaybe<Scalars['Float']['input']>;
}>;


export type SetMaxHzMutation = { readonly setMaxHz: number | null };

export type AuthenticateMutationVariables = Exact<{
  token: Scalars['String']['input'];
}>;


export type AuthenticateMutation = { readonly authenticate: { readonly expiresAt: string | null } };

export type DiscoveryQueryVariables = Exact<{ [key: string]: never; }>;


export type DiscoveryQuery = { readonly discovery: DiscoveryFragment };

export type ServersQueryVariables = Exact<{
  types?: InputMaybe<ReadonlyArray<McpServerType>>;
}>;


export type ServersQuery = { readonly servers: ReadonlyArray<McpServerFragment> };

export type AgentsQueryVariables = Exact<{
  serverTypes?: InputMaybe<ReadonlyArray<McpServerType>>;
  agentTypes?: InputMaybe<ReadonlyArray<Scalars['String']['input']>>;
  swarmIds?: InputMaybe<ReadonlyArray<Scalars['ID']['input']>>;
}>;


export type AgentsQuery = { readonly agents: ReadonlyArray<AgentFragment> };

export type AgentQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type AgentQuery = { readonly agent: AgentFragment | null };

export type SwarmSessionQueryVariables = Exact<{
  agentId: Scalars['ID']['input'];
}>;


export type SwarmSessionQuery = { readonly agent: { readonly swarm: { readonly session: { readonly agentId: string, readonly inferred: boolean } | null } | null } | null };

export type TopologyQueryVariables = Exact<{
  swarmId: Scalars['ID']['input'];
}>;


export type TopologyQuery = { readonly topology: { readonly swarmId: string, readonly topology: TopologyKind | null, readonly swarm: SwarmFragment, readonly agents: ReadonlyArray<AgentFragment>, readonly edges: ReadonlyArray<TopologyEdgeFragment> } | null };

export type HealthQueryVariables = Exact<{ [key: string]: never; }>;


export type HealthQuery = { readonly health: { readonly status: HealthStatus, readonly timestamp: string, readonly uptimeMs: number, readonly servers: ReadonlyArray<(
      { readonly polling: { readonly wantedHz: number, readonly effectiveHz: number | null, readonly timeShare: number | null, readonly maxTimeShare: number } | null, readonly toolHealth: ReadonlyArray<ToolHealthFragment> }
      & McpServerFragment
    )>, readonly breakers: ReadonlyArray<{ readonly serverId: string, readonly circuitBreaker: CircuitBreakerFragment }>, readonly connections: { readonly open: number, readonly subscriptions: number, readonly slow: number, readonly unsentBytes: number, readonly roundTripP50Ms: number | null, readonly roundTripP95Ms: number | null, readonly roundTripP99Ms: number | null, readonly meanRequestedHz: number | null, readonly meanEffectiveHz: number | null, readonly minEffectiveHz: number | null }, readonly eventLoop: { readonly delayP50Ms: number, readonly delayP99Ms: number, readonly utilization: number }, readonly memory: { readonly rssBytes: number, readonly heapUsedBytes: number, readonly heapTotalBytes: number }, readonly limits: ReadonlyArray<{ readonly name: string, readonly hits: number }> } };

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { readonly viewer: { readonly subject: string | null, readonly permissions: ReadonlyArray<string>, readonly expiresAt: string | null } };

export type TasksQueryVariables = Exact<{
  serverTypes?: InputMaybe<ReadonlyArray<McpServerType>>;
  swarmIds?: InputMaybe<ReadonlyArray<Scalars['ID']['input']>>;
  agentIds?: InputMaybe<ReadonlyArray<Scalars['ID']['input']>>;
  statuses?: InputMaybe<ReadonlyArray<TaskStatus>>;
}>;


export type TasksQuery = { readonly tasks: ReadonlyArray<TaskFragment> };

export type TopologyChangesSubscriptionVariables = Exact<{
  swarmIds?: InputMaybe<ReadonlyArray<Scalars['ID']['input']>>;
}>;


export type TopologyChangesSubscription = { readonly topologyChanges: TopologyChangeFragment };

export type PerformanceMetricsSubscriptionVariables = Exact<{
  serverTypes?: InputMaybe<ReadonlyArray<McpServerType>>;
  mode?: InputMaybe<PerformanceMode>;
}>;


export type PerformanceMetricsSubscription = { readonly performanceMetrics: PerformanceMetricsFragment };

export type HealthChangesSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type HealthChangesSubscription = { readonly healthChanges: { readonly serverId: string, readonly replicaId: string | null, readonly status: ServerStatus, readonly previousStatus: ServerStatus, readonly circuitState: CircuitState, readonly previousCircuitState: CircuitState, readonly reason: string | null, readonly timestamp: string, readonly missed: number } };

export type NoticesSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type NoticesSubscription = { readonly notices: { readonly code: string, readonly severity: NoticeSeverity, readonly message: string, readonly serverId: string | null, readonly timestamp: string, readonly missed: number } };

export type TaskUpdatesSubscriptionVariables = Exact<{
  serverTypes?: InputMaybe<ReadonlyArray<McpServerType>>;
  swarmIds?: InputMaybe<ReadonlyArray<Scalars['ID']['input']>>;
  agentIds?: InputMaybe<ReadonlyArray<Scalars['ID']['input']>>;
  mode?: InputMaybe<PerformanceMode>;
  after?: InputMaybe<Scalars['ID']['input']>;
}>;


export type TaskUpdatesSubscription = { readonly taskUpdates: { readonly kind: UpdateKind, readonly cursor: string, readonly timestamp: string, readonly removedTaskIds: ReadonlyArray<string>, readonly staleServerIds: ReadonlyArray<string>, readonly tasks: ReadonlyArray<TaskFragment>, readonly rate: { readonly requestedHz: number, readonly effectiveHz: number } } };

export type AgentMessagesSubscriptionVariables = Exact<{
  serverTypes?: InputMaybe<ReadonlyArray<McpServerType>>;
  swarmIds?: InputMaybe<ReadonlyArray<Scalars['ID']['input']>>;
}>;


export type AgentMessagesSubscription = { readonly agentMessages: { readonly id: string, readonly serverId: string, readonly serverType: McpServerType, readonly swarmId: string | null, readonly fromAgentId: string | null, readonly toAgentIds: ReadonlyArray<string>, readonly sentAt: string, readonly text: string | null, readonly missed: number } };

export type AgentFragment = { readonly id: string, readonly nativeId: string, readonly serverId: string, readonly serverType: McpServerType, readonly swarmId: string | null, readonly parentId: string | null, readonly name: string, readonly title: string | null, readonly workspace: string | null, readonly type: string, readonly status: AgentStatus, readonly capabilities: ReadonlyArray<string>, readonly model: string | null, readonly currentTaskId: string | null, readonly stale: boolean, readonly simulated: boolean, readonly createdAt: string | null, readonly lastActiveAt: string | null, readonly lastSeenAt: string, readonly activity: { readonly kind: ActivityKind, readonly label: string | null, readonly detail: string | null, readonly since: string | null, readonly waitingFor: WaitReason | null, readonly inferred: boolean } | null, readonly usage: { readonly inputTokens: number | null, readonly outputTokens: number | null, readonly cacheReadTokens: number | null, readonly cacheWriteTokens: number | null, readonly totalTokens: number | null, readonly costUsd: number | null, readonly costEstimated: boolean, readonly complete: boolean } | null, readonly context: { readonly usedTokens: number | null, readonly limitTokens: number | null, readonly usedRatio: number | null } | null, readonly performance: { readonly cpuUsage: number | null, readonly memoryUsage: number | null, readonly healthScore: number | null, readonly activityLevel: number | null, readonly tasksActive: number | null, readonly tasksCompleted: number | null, readonly tasksFailed: number | null, readonly successRate: number | null, readonly tokenUsage: number | null, readonly tokenRate: number | null, readonly responseTimeMs: number | null, readonly throughput: number | null } | null, readonly neural: { readonly cognitivePattern: string | null, readonly networkId: string | null, readonly adaptations: number | null, readonly learningRate: number | null } | null, readonly topology: { readonly role: string | null, readonly parentId: string | null, readonly depth: number | null, readonly degree: number, readonly inferred: boolean } | null };

const performanceMetricsText = `fragment PerformanceMetrics on PerformanceMetrics {
  totalAgents
  activeAgents
  staleAgents
  agentsByStatus {
    status
    count
  }
  meanCpuUsage
  meanMemoryUsage
  meanHealthScore
  meanSuccessRate
  meanResponseTimeMs
  tasksActive
  tasksCompleted
  tasksFailed
  throughput
  tokenRate
  tokenUsage
}`;

const swarmText = `fragment Swarm on Swarm {
  id
  nativeId
  serverId
  serverType
  name
  topology
  topologyName
  strategy
  status
  agentCount
  maxAgents
  tasksActive
  tasksCompleted
  tasksTotal
  stale
  createdAt
}`;

const topologyEdgeText = `fragment TopologyEdge on TopologyEdge {
  id
  swarmId
  from
  to
  relation
  inferred
}`;

const topologyChangeText = `fragment TopologyChange on TopologyChange {
  kind
  swarmId
  swarm {
    ...Swarm
  }
  edges {
    ...TopologyEdge
  }
  removedEdgeIds
}`;

const circuitBreakerText = `fragment CircuitBreaker on CircuitBreaker {
  state
  consecutiveFailures
  openedAt
  retryAt
}`;

const latencyText = `fragment Latency on Latency {
  p50Ms
  p95Ms
  p99Ms
}`;

const mcpServerText = `fragment McpServer on McpServer {
  id
  type
  name
  version
  transport
  status
  tools
  agentCount
  stale
  simulated
  connectedAt
  lastSeenAt
  lastError
  circuitBreaker {
    ...CircuitBreaker
  }
  latency {
    ...Latency
  }
  staleSince
  replicas {
    id
    status
    inUse
    inFlight
    latency {
      ...Latency
    }
    circuitBreaker {
      ...CircuitBreaker
    }
    lastError
    restarts
    lastAnsweredAt
    lastProbedAt
  }
}`;

const toolHealthText = `fragment ToolHealth on ToolHealth {
  name
  calls
  failures
  consecutiveFailures
  lastError
  lastFailedAt
  latency {
    ...Latency
  }
}`;

const discoveryText = `fragment Discovery on Discovery {
  timestamp
  totalAgents
  servers {
    ...McpServer
  }
  swarms {
    ...Swarm
  }
}`;

const taskText = `fragment Task on Task {
  id
  nativeId
  serverId
  serverType
  swarmId
  title
  status
  agentIds
  dependsOnIds
  createdAt
  startedAt
  endedAt
  stale
}`;

const agentText = `fragment Agent on Agent {
  id
  nativeId
  serverId
  serverType
  swarmId
  parentId
  name
  title
  workspace
  type
  status
  capabilities
  model
  currentTaskId
  activity {
    kind
    label
    detail
    since
    waitingFor
    inferred
  }
  usage {
    inputTokens
    outputTokens
    cacheReadTokens
    cacheWriteTokens
    totalTokens
    costUsd
    costEstimated
    complete
  }
  context {
    usedTokens
    limitTokens
    usedRatio
  }
  performance {
    cpuUsage
    memoryUsage
    healthScore
    activityLevel
    tasksActive
    tasksCompleted
    tasksFailed
    successRate
    tokenUsage
    tokenRate
    responseTimeMs
    throughput
  }
  neural {
    cognitivePattern
    networkId
    adaptations
    learningRate
  }
  topology {
    role
    parentId
    depth
    degree
    inferred
  }
  stale
  simulated
  createdAt
  lastActiveAt
  lastSeenAt
}`;

export const AgentUpdatesDocument: TypedDocument<AgentUpdatesSubscription, AgentUpdatesSubscriptionVariables> = `subscription AgentUpdates($serverTypes: [McpServerType!], $agentTypes: [String!], $swarmIds: [ID!], $includePerformance: Boolean, $includeNeural: Boolean, $includeTopology: Boolean, $mode: PerformanceMode, $after: ID) {
  agentUpdates(
    serverTypes: $serverTypes
    agentTypes: $agentTypes
    swarmIds: $swarmIds
    includePerformance: $includePerformance
    includeNeural: $includeNeural
    includeTopology: $includeTopology
    mode: $mode
    after: $after
  ) {
    kind
    cursor
    timestamp
    agents {
      ...Agent
    }
    removedAgentIds
    performanceMetrics {
      ...PerformanceMetrics
    }
    topologyChanges {
      ...TopologyChange
    }
    staleServerIds
    rate {
      requestedHz
      effectiveHz
    }
  }
}
${agentText}
${performanceMetricsText}
${topologyChangeText}
${swarmText}
${topologyEdgeText}`;

export const AgentPatchesDocument: TypedDocument<AgentPatchesSubscription, AgentPatchesSubscriptionVariables> = `subscription AgentPatches($serverTypes: [McpServerType!], $agentTypes: [String!], $swarmIds: [ID!], $includePerformance: Boolean, $includeNeural: Boolean, $includeTopology: Boolean, $mode: PerformanceMode, $after: ID!) {
  agentUpdates(
    serverTypes: $serverTypes
    agentTypes: $agentTypes
    swarmIds: $swarmIds
    includePerformance: $includePerformance
    includeNeural: $includeNeural
    includeTopology: $includeTopology
    mode: $mode
    after: $after
  ) {
    kind
    cursor
    timestamp
    patches {
      id
      patch
    }
    removedAgentIds
    topologyChanges {
      ...TopologyChange
    }
    staleServerIds
    rate {
      requestedHz
      effectiveHz
    }
  }
}
${topologyChangeText}
${swarmText}
${topologyEdgeText}`;

export const TopologyUpdatesDocument: TypedDocument<TopologyUpdatesSubscription, TopologyUpdatesSubscriptionVariables> = `subscription TopologyUpdates($serverTypes: [McpServerType!], $swarmIds: [ID!], $mode: PerformanceMode, $after: ID) {
  agentUpdates(
    serverTypes: $serverTypes
    swarmIds: $swarmIds
    includePerformance: false
    includeNeural: false
    mode: $mode
    after: $after
  ) {
    kind
    cursor
    timestamp
    topologyChanges {
      ...TopologyChange
    }
    staleServerIds
    rate {
      requestedHz
      effectiveHz
    }
  }
}
${topologyChangeText}
${swarmText}
${topologyEdgeText}`;

export const CallToolDocument: TypedDocument<CallToolMutation, CallToolMutationVariables> = `mutation CallTool($serverId: ID!, $tool: String!, $arguments: JSON) {
  callTool(serverId: $serverId, tool: $tool, arguments: $arguments) {
    serverId
    tool
    isError
    content
    durationMs
  }
}`;

export const RefreshDiscoveryDocument: TypedDocument<RefreshDiscoveryMutation, RefreshDiscoveryMutationVariables> = `mutation RefreshDiscovery {
  refreshDiscovery {
    ...Discovery
  }
}
${discoveryText}
${mcpServerText}
${circuitBreakerText}
${latencyText}
${swarmText}`;

export const RequestAgentUpdateDocument: TypedDocument<RequestAgentUpdateMutation, RequestAgentUpdateMutationVariables> = `mutation RequestAgentUpdate($serverIds: [ID!]) {
  requestAgentUpdate(serverIds: $serverIds) {
    serverIds
    unansweredServerIds
    timestamp
  }
}`;

export const SetMaxHzDocument: TypedDocument<SetMaxHzMutation, SetMaxHzMutationVariables> = `mutation SetMaxHz($maxHz: Float) {
  setMaxHz(maxHz: $maxHz)
}`;

export const AuthenticateDocument: TypedDocument<AuthenticateMutation, AuthenticateMutationVariables> = `mutation Authenticate($token: String!) {
  authenticate(token: $token) {
    expiresAt
  }
}`;

export const DiscoveryDocument: TypedDocument<DiscoveryQuery, DiscoveryQueryVariables> = `query Discovery {
  discovery {
    ...Discovery
  }
}
${discoveryText}
${mcpServerText}
${circuitBreakerText}
${latencyText}
${swarmText}`;

export const ServersDocument: TypedDocument<ServersQuery, ServersQueryVariables> = `query Servers($types: [McpServerType!]) {
  servers(types: $types) {
    ...McpServer
  }
}
${mcpServerText}
${circuitBreakerText}
${latencyText}`;

export const AgentsDocument: TypedDocument<AgentsQuery, AgentsQueryVariables> = `query Agents($serverTypes: [McpServerType!], $agentTypes: [String!], $swarmIds: [ID!]) {
  agents(serverTypes: $serverTypes, agentTypes: $agentTypes, swarmIds: $swarmIds) {
    ...Agent
  }
}
${agentText}`;

export const AgentDocument: TypedDocument<AgentQuery, AgentQueryVariables> = `query Agent($id: ID!) {
  agent(id: $id) {
    ...Agent
  }
}
${agentText}`;

export const SwarmSessionDocument: TypedDocument<SwarmSessionQuery, SwarmSessionQueryVariables> = `query SwarmSession($agentId: ID!) {
  agent(id: $agentId) {
    swarm {
      session {
        agentId
        inferred
      }
    }
  }
}`;

export const TopologyDocument: TypedDocument<TopologyQuery, TopologyQueryVariables> = `query Topology($swarmId: ID!) {
  topology(swarmId: $swarmId) {
    swarmId
    topology
    swarm {
      ...Swarm
    }
    agents {
      ...Agent
    }
    edges {
      ...TopologyEdge
    }
  }
}
${swarmText}
${agentText}
${topologyEdgeText}`;

export const HealthDocument: TypedDocument<HealthQuery, HealthQueryVariables> = `query Health {
  health {
    status
    timestamp
    uptimeMs
    servers {
      ...McpServer
      polling {
        wantedHz
        effectiveHz
        timeShare
        maxTimeShare
      }
      toolHealth {
        ...ToolHealth
      }
    }
    breakers {
      serverId
      circuitBreaker {
        ...CircuitBreaker
      }
    }
    connections {
      open
      subscriptions
      slow
      unsentBytes
      roundTripP50Ms
      roundTripP95Ms
      roundTripP99Ms
      meanRequestedHz
      meanEffectiveHz
      minEffectiveHz
    }
    eventLoop {
      delayP50Ms
      delayP99Ms
      utilization
    }
    memory {
      rssBytes
      heapUsedBytes
      heapTotalBytes
    }
    limits {
      name
      hits
    }
  }
}
${mcpServerText}
${circuitBreakerText}
${latencyText}
${toolHealthText}`;

export const ViewerDocument: TypedDocument<ViewerQuery, ViewerQueryVariables> = `query Viewer {
  viewer {
    subject
    permissions
    expiresAt
  }
}`;

export const TasksDocument: TypedDocument<TasksQuery, TasksQueryVariables> = `query Tasks($serverTypes: [McpServerType!], $swarmIds: [ID!], $agentIds: [ID!], $statuses: [TaskStatus!]) {
  tasks(
    serverTypes: $serverTypes
    swarmIds: $swarmIds
    agentIds: $agentIds
    statuses: $statuses
  ) {
    ...Task
  }
}
${taskText}`;

export const TopologyChangesDocument: TypedDocument<TopologyChangesSubscription, TopologyChangesSubscriptionVariables> = `subscription TopologyChanges($swarmIds: [ID!]) {
  topologyChanges(swarmIds: $swarmIds) {
    ...TopologyChange
  }
}
${topologyChangeText}
${swarmText}
${topologyEdgeText}`;

export const PerformanceMetricsDocument: TypedDocument<PerformanceMetricsSubscription, PerformanceMetricsSubscriptionVariables> = `subscription PerformanceMetrics($serverTypes: [McpServerType!], $mode: PerformanceMode) {
  performanceMetrics(serverTypes: $serverTypes, mode: $mode) {
    ...PerformanceMetrics
  }
}
${performanceMetricsText}`;

export const HealthChangesDocument: TypedDocument<HealthChangesSubscription, HealthChangesSubscriptionVariables> = `subscription HealthChanges {
  healthChanges {
    serverId
    replicaId
    status
    previousStatus
    circuitState
    previousCircuitState
    reason
    timestamp
    missed
  }
}`;

export const NoticesDocument: TypedDocument<NoticesSubscription, NoticesSubscriptionVariables> = `subscription Notices {
  notices {
    code
    severity
    message
    serverId
    timestamp
    missed
  }
}`;

export const TaskUpdatesDocument: TypedDocument<TaskUpdatesSubscription, TaskUpdatesSubscriptionVariables> = `subscription TaskUpdates($serverTypes: [McpServerType!], $swarmIds: [ID!], $agentIds: [ID!], $mode: PerformanceMode, $after: ID) {
  taskUpdates(
    serverTypes: $serverTypes
    swarmIds: $swarmIds
    agentIds: $agentIds
    mode: $mode
    after: $after
  ) {
    kind
    cursor
    timestamp
    tasks {
      ...Task
    }
    removedTaskIds
    staleServerIds
    rate {
      requestedHz
      effectiveHz
    }
  }
}
${taskText}`;

export const AgentMessagesDocument: TypedDocument<AgentMessagesSubscription, AgentMessagesSubscriptionVariables> = `subscription AgentMessages($serverTypes: [McpServerType!], $swarmIds: [ID!]) {
  agentMessages(serverTypes: $serverTypes, swarmIds: $swarmIds) {
    id
    serverId
    serverType
    swarmId
    fromAgentId
    toAgentIds
    sentAt
    text
    missed
  }
}`;