import { expect, test } from 'vitest';
import type { McpServerType, ServerReport } from '../../src/model/index.js';
import { NEURAL_FIELD_NAMES, PERFORMANCE_FIELD_NAMES } from '../../src/model/index.js';
import { GATEWAY_LIST_TOOL } from '../../src/adapters/claude-flow/gateway-adapter.js';
import { rigOf } from './fake-server.js';

type Answers = Parameters<typeof rigOf>[1];

/** Returns every number of a report with its name. */
function numbersIn({ agents, swarms }: ServerReport): readonly (readonly [name: string, value: unknown])[] {
  return [
    ...agents.flatMap(({ performance, neural }) => [
      ...PERFORMANCE_FIELD_NAMES.map((name) => [name, performance?.[name] ?? null] as const),
      ...NEURAL_FIELD_NAMES.map((name) => [name, neural?.[name] ?? null] as const),
    ]),
    ...swarms.flatMap(({ maxAgents, tasksTotal, tasksActive, tasksCompleted }) =>
      Object.entries({ maxAgents, tasksTotal, tasksActive, tasksCompleted }),
    ),
  ];
}

/** Responses that contain no number at all, also of tools whose answers usually do. */
const WITHOUT_NUMBERS: readonly (readonly [title: string, type: McpServerType, answers: Answers])[] = [
  ['claude-flow', 'CLAUDE_FLOW', { agent_list: { agents: [{ agentId: 'a' }] } }],
  [
    'claude-flow with a swarm, a hive and unusable tasks',
    'CLAUDE_FLOW',
    {
      agent_list: { agents: [{ agentId: 'a' }] },
      swarm_status: { swarmId: 's' },
      'hive-mind_status': { initialized: true, hiveId: 'h', queen: { id: 'q' }, workers: [{ id: 'w' }] },
      task_list: { tasks: 'many' },
      daa_learning_status: { agents: [{ id: 'd' }] },
    },
  ],
  ['a gateway of claude-flow', 'CLAUDE_FLOW', { [GATEWAY_LIST_TOOL]: { agents: [{ id: 'a' }] } }],
  ['ruv-swarm', 'RUV_SWARM', { agent_list: { agents: [{ id: 'a' }] } }],
  [
    'ruv-swarm with a swarm and unusable tasks',
    'RUV_SWARM',
    {
      agent_list: { agents: [{ id: 'a' }] },
      swarm_status: { swarms: [{ id: 's', status: {} }, { id: 't' }] },
      task_status: { tasks: 'many' },
    },
  ],
  ['DAA', 'DAA', { list_agents: { agents: [{ id: 'a' }] } }],
  ['DAA with unusable tasks', 'DAA', { list_agents: { agents: [{ id: 'a' }] }, list_tasks: { tasks: 'many' } }],
];

test.each(WITHOUT_NUMBERS)(
  'an adapter for %s reports null for every number that the server does not report',
  async (_title, type, answers) => {
    const report = await rigOf(type, answers).poll();

    expect(report.agents.length).toBeGreaterThan(0);
    expect(numbersIn(report).filter(([, value]) => value !== null)).toEqual([]);
  },
);

test('an adapter with a mapping reports null for every number that the server does not report', async () => {
  const path = (text: string) => ({ text, keys: text.split('.') });
  const source = { arguments: {}, shape: 'list', path: path('items') } as const;
  const id = { from: 'path', path: path('id'), scale: 1 } as const;
  const field = { from: 'path', path: path('missing'), scale: 100 } as const;
  const report = await rigOf(
    'CUSTOM',
    { list: { items: [{ id: 'a', tasks: null }] }, groups: { items: [{ id: 's' }] } },
    {
      agents: [
        {
          ...source,
          place: 'mapping.agents',
          tool: 'list',
          fields: { id, cpuUsage: field, tasksActive: field, tokenUsage: field },
          statuses: new Map(),
        },
      ],
      swarms: {
        ...source,
        place: 'mapping.swarms',
        tool: 'groups',
        fields: { id, maxAgents: field, tasksTotal: field },
      },
    },
  ).poll();

  expect([report.agents.length, report.swarms.length]).toEqual([1, 1]);
  expect(numbersIn(report).filter(([, value]) => value !== null)).toEqual([]);
});
