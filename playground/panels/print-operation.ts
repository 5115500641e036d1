import type { AgentStreamRequest } from '@swarmlens/client';

/**
 * What the page asks for, as an operation that stands for itself: to be copied, or tried in GraphiQL. Names of types and
 * swarms come from servers; they are written as GraphQL strings, which are escaped as in JSON.
 */
export function printOperation(request: AgentStreamRequest): string {
  const { serverTypes, agentTypes, swarmIds, mode, includePerformance, includeNeural, includeTopology } = request;
  const given = [
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
    ...given.map((argument) => `    ${argument}`),
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
    '      stale',
    '      simulated',
    ...(includePerformance ? nested('performance', ['activityLevel', 'tasksActive', 'tasksCompleted'], 6) : []),
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
