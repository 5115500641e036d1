import type { AgentStreamRequest } from '@swarmlens/client';

/**
 * Prints a request as a GraphQL operation without variables, to copy or to run in GraphiQL. Escapes the names of types and swarms,
 * which come from servers, as in JSON.
 */
export function printOperation(request: AgentStreamRequest): string {
  const { serverTypes, agentTypes, swarmIds, mode, includePerformance, includeNeural, includeTopology } = request;
  const args = [
    serverTypes === null ? null : `serverTypes: [${serverTypes.join(', ')}]`,
    agentTypes === null ? null : `agentTypes: ${list(agentTypes)}`,
    swarmIds === null ? null : `swarmIds: ${list(swarmIds)}`,
    `mode: ${mode}`,
    includePerformance ? null : 'includePerformance: false',
    includeNeural ? null : 'includeNeural: false',
    includeTopology ? null : 'includeTopology: false',
  ].filter((argument) => argument !== null);
  return [
    'subscription WatchAgents {',
    '  agentUpdates(',
    ...args.map((argument) => `    ${argument}`),
    '  ) {',
    '    kind',
    '    cursor',
    '    agents {',
    '      id',
    '      name',
    '      type',
    '      status',
    '      serverId',
    '      swarmId',
    '      parentId',
    '      model',
    '      stale',
    '      simulated',
    ...nested('activity', ['kind', 'label', 'since', 'waitingFor', 'inferred'], 6),
    ...(includePerformance
      ? [
          ...nested('usage', ['totalTokens', 'costUsd', 'costEstimated'], 6),
          ...nested('context', ['usedRatio'], 6),
          ...nested('performance', ['activityLevel', 'tasksActive', 'tasksCompleted'], 6),
        ]
      : []),
    ...(includeNeural ? nested('neural', ['cognitivePattern'], 6) : []),
    ...(includeTopology ? nested('topology', ['role', 'parentId'], 6) : []),
    '    }',
    '    removedAgentIds',
    ...(includeTopology
      ? [
          '    topologyChanges {',
          '      swarmId',
          ...nested('edges', ['id', 'from', 'to', 'relation', 'inferred'], 6),
          '      removedEdgeIds',
          '    }',
        ]
      : []),
    '    staleServerIds',
    ...nested('rate', ['requestedHz', 'effectiveHz'], 4),
    '  }',
    '}',
    '',
  ].join('\n');
}

function nested(name: string, fields: readonly string[], indent: number): string[] {
  const space = ' '.repeat(indent);
  return [`${space}${name} {`, ...fields.map((field) => `${space}  ${field}`), `${space}}`];
}

function list(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(', ')}]`;
}
