import { readFile } from 'node:fs/promises';
import {
  astFromValue,
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isObjectType,
  print,
  printSchema,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { schema } from '../../src/schema/index.js';

/** Common properties of object fields and input fields. */
interface Described {
  readonly name: string;
  readonly description: string | null | undefined;
  readonly args?: readonly Described[];
}

function ownTypes(): GraphQLNamedType[] {
  return Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'));
}

describe('schema', () => {
  test('schema.graphql is up to date (npm run codegen)', async () => {
    expect(await readFile(new URL('../../schema.graphql', import.meta.url), 'utf8')).toBe(`${printSchema(schema)}\n`);
  });

  test('describes every type, field, argument and enum value', () => {
    const undescribed: string[] = [];
    const check = (name: string, description: string | null | undefined): void => {
      if (description == null || description.trim() === '') undescribed.push(name);
    };
    for (const type of ownTypes()) {
      check(type.name, type.description);
      if (isEnumType(type))
        for (const value of type.getValues()) check(`${type.name}.${value.name}`, value.description);
      if (!isObjectType(type) && !isInputObjectType(type)) continue;
      for (const field of Object.values(type.getFields()) as Described[]) {
        check(`${type.name}.${field.name}`, field.description);
        for (const arg of field.args ?? []) check(`${type.name}.${field.name}(${arg.name}:)`, arg.description);
      }
    }
    expect(undescribed).toEqual([]);
  });

  // Users rely on these members: they may be extended, but not changed.
  test.each([
    ['enum McpServerType', ['CLAUDE_FLOW', 'RUV_SWARM', 'DAA', 'CUSTOM']],
    ['enum PerformanceMode', ['HIGH_FREQUENCY', 'NORMAL', 'LOW_FREQUENCY', 'ON_DEMAND']],
    [
      'enum AgentStatus',
      ['INITIALIZING', 'IDLE', 'ACTIVE', 'BUSY', 'PAUSED', 'ERROR', 'OFFLINE', 'TERMINATED', 'UNKNOWN'],
    ],
    ['enum ServerStatus', ['CONNECTING', 'ONLINE', 'DEGRADED', 'OFFLINE']],
    ['enum CircuitState', ['CLOSED', 'OPEN', 'HALF_OPEN']],
    ['enum UpdateKind', ['SNAPSHOT', 'DELTA']],
    ['enum TransportKind', ['STDIO', 'HTTP', 'SSE', 'TCP', 'WS', 'TAP']],
    [
      'type Agent',
      [
        'id: ID!',
        'nativeId: ID!',
        'serverId: ID!',
        'serverType: McpServerType!',
        'swarmId: ID',
        'name: String!',
        'type: String!',
        'status: AgentStatus!',
        'capabilities: [String!]!',
        'performance: AgentPerformance',
        'neural: AgentNeural',
        'topology: AgentTopologyPosition',
        'stale: Boolean!',
        'createdAt: DateTime',
        'lastActiveAt: DateTime',
        'lastSeenAt: DateTime!',
      ],
    ],
    [
      'type AgentPerformance',
      [
        ...['cpuUsage', 'memoryUsage', 'healthScore', 'activityLevel', 'successRate'].map((name) => `${name}: Float`),
        ...['tokenUsage', 'tokenRate', 'responseTimeMs', 'throughput'].map((name) => `${name}: Float`),
        ...['tasksActive', 'tasksCompleted', 'tasksFailed'].map((name) => `${name}: Int`),
      ],
    ],
    [
      'type AgentUpdate',
      [
        'kind: UpdateKind!',
        'cursor: ID!',
        'timestamp: DateTime!',
        'agents: [Agent!]!',
        'patches: [AgentPatch!]!',
        'removedAgentIds: [ID!]!',
        'performanceMetrics: PerformanceMetrics',
        'topologyChanges: [TopologyChange!]',
        'staleServerIds: [ID!]!',
        'rate: StreamRate!',
      ],
    ],
    [
      'type McpServer',
      [
        'id: ID!',
        'type: McpServerType!',
        'name: String!',
        'version: String',
        'transport: TransportKind!',
        'status: ServerStatus!',
        'tools: [String!]!',
        'agentCount: Int!',
        'stale: Boolean!',
        'connectedAt: DateTime',
        'lastSeenAt: DateTime',
        'lastError: String',
        'circuitBreaker: CircuitBreaker!',
        'latency: Latency!',
        'replicas: [ServerReplica!]!',
      ],
    ],
    [
      'type Query',
      [
        'discovery: Discovery!',
        'servers(types: [McpServerType!]): [McpServer!]!',
        'server(id: ID!): McpServer',
        'swarms(serverTypes: [McpServerType!]): [Swarm!]!',
        'agents(serverTypes: [McpServerType!], agentTypes: [String!], swarmIds: [ID!]): [Agent!]!',
        'agent(id: ID!): Agent',
        'topology(swarmId: ID!): SwarmTopology',
        'health: Health!',
      ],
    ],
    [
      'type Mutation',
      [
        'callTool(serverId: ID!, tool: String!, arguments: JSON): ToolResult!',
        'refreshDiscovery: Discovery!',
        'requestAgentUpdate(serverIds: [ID!]): AgentUpdateRequest!',
      ],
    ],
    [
      'type Subscription',
      [
        'agentUpdates(serverTypes: [McpServerType!], agentTypes: [String!], swarmIds: [ID!], includePerformance: Boolean = true, includeNeural: Boolean = true, includeTopology: Boolean = true, mode: PerformanceMode = NORMAL, after: ID): AgentUpdate!',
        'topologyChanges(swarmIds: [ID!]): TopologyChange!',
        'performanceMetrics(serverTypes: [McpServerType!], mode: PerformanceMode = LOW_FREQUENCY): PerformanceMetrics!',
        'healthChanges: HealthChange!',
        'notices: Notice!',
      ],
    ],
  ])('%s contains the members that users rely on', (title, members) => {
    const [, name = ''] = title.split(' ');
    const type = schema.getType(name);
    const found = isEnumType(type)
      ? type.getValues().map((value) => value.name)
      : isObjectType(type)
        ? Object.values(type.getFields()).map((field) => {
            const args = field.args.map((arg) => {
              const value = arg.defaultValue === undefined ? null : astFromValue(arg.defaultValue, arg.type);
              const preset = value == null ? '' : ` = ${print(value)}`;
              return `${arg.name}: ${arg.type.toString()}${preset}`;
            });
            return `${field.name}${args.length === 0 ? '' : `(${args.join(', ')})`}: ${field.type.toString()}`;
          })
        : [];
    expect(found).toEqual(expect.arrayContaining(members));
  });
});
