import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { App } from '../../src/app/create-app.js';
import {
  AGENT_FIELDS,
  request,
  simulator,
  SocketClient,
  startApp,
  type Subscription,
  StreamedState,
  type WireUpdate,
} from '../support/app.js';
import { withoutNulls } from '../support/contract-client.js';

const TOOLS = [
  'agent_spawn',
  'agent_terminate',
  'agent_update',
  'task_create',
  'task_orchestrate',
  'swarm_init',
  'spawn_agent',
];

/** Tool call that changes a server. The simulations are otherwise frozen (0 Hz), so that states can be compared. */
const action = fc.oneof(
  fc.record({
    serverId: fc.constant('claude-flow'),
    tool: fc.constant('agent_spawn'),
    arguments: fc.record({ agentType: fc.constantFrom('coder', 'tester', 'queen') }),
  }),
  fc.record({
    serverId: fc.constant('ruv-swarm'),
    tool: fc.constant('agent_spawn'),
    arguments: fc.record({ type: fc.constantFrom('coder', 'analyst') }),
  }),
  fc.record({
    serverId: fc.constant('ruv-swarm'),
    tool: fc.constant('task_orchestrate'),
    arguments: fc.record({ task: fc.constant('look at it') }),
  }),
);

const reading = fc.record({
  serverTypes: fc.option(fc.subarray(['CLAUDE_FLOW', 'RUV_SWARM', 'DAA']), { nil: null }),
  agentTypes: fc.option(fc.subarray(['coder', 'tester', 'analyst', 'queen']), { nil: null }),
  includePerformance: fc.boolean(),
  includeNeural: fc.boolean(),
  mode: fc.constantFrom('HIGH_FREQUENCY', 'NORMAL'),
});

async function act(app: App, one: { serverId: string; tool: string; arguments: object }): Promise<void> {
  const answer = await request(
    app,
    'mutation Act($serverId: ID!, $tool: String!, $arguments: JSON) { callTool(serverId: $serverId, tool: $tool, arguments: $arguments) { isError content } }',
    { ...one },
  );
  expect(answer.errors).toBeUndefined();
}

async function freshAgents(
  app: App,
  filters: { serverTypes: unknown; agentTypes: unknown },
): Promise<Map<string, unknown>> {
  const answer = await request(
    app,
    `query Fresh($serverTypes: [McpServerType!], $agentTypes: [String!]) { agents(serverTypes: $serverTypes, agentTypes: $agentTypes) { ${AGENT_FIELDS} } }`,
    { serverTypes: filters.serverTypes, agentTypes: filters.agentTypes },
  );
  const agents = answer.data?.['agents'] as readonly ({ id: string } & Record<string, unknown>)[]; // as selected
  return new Map(agents.map((agent) => [agent.id, agent]));
}

/** Returns the state after all updates so far, applied to the updates of earlier streams. */
function stateOf(base: readonly WireUpdate[], stream: Subscription<WireUpdate>): StreamedState {
  const state = new StreamedState();
  for (const update of [...base, ...stream.data]) state.apply(update);
  return state;
}

test('for any actions and filters: agents and patches of a resumed stream both add up to a fresh query', async () => {
  await using app = await startApp([
    simulator('claude-flow', { hz: 0 }, { allowTools: TOOLS }),
    simulator('ruv-swarm', { hz: 0 }, { allowTools: TOOLS }),
    simulator('daa', { hz: 0 }, { allowTools: TOOLS }),
  ]);
  await using client = new SocketClient(app);
  const received: WireUpdate[] = [];
  await fc.assert(
    fc.asyncProperty(reading, fc.array(action, { minLength: 1, maxLength: 4 }), async (variables, actions) => {
      const after = received.at(-1)?.agentUpdates.cursor ?? null;
      using stream = client.watchAgents({ ...variables, after });
      for (const one of actions) await act(app, one);
      const included = (agent: unknown): unknown => ({
        ...(agent as object),
        ...(!variables.includePerformance && { performance: null }),
        ...(!variables.includeNeural && { neural: null }),
      });
      // The effects of an action may need another poll, so each update compares both states again.
      const query = async (): Promise<Map<string, unknown>> =>
        new Map([...(await freshAgents(app, variables))].map(([id, agent]) => [id, included(agent)]));
      const sorted = (agents: Map<string, unknown>): string => JSON.stringify([...agents].sort());
      let seen = stream.data.length;
      let fresh = await query();
      while (sorted(stateOf(received, stream).whole) !== sorted(fresh)) {
        const known = seen;
        await stream.until(({ length }) => length > known);
        seen = stream.data.length;
        fresh = await query();
      }
      const { patched } = stateOf(received, stream);
      const plain = (agents: Map<string, unknown>): Map<string, unknown> =>
        new Map([...agents].map(([id, agent]) => [id, withoutNulls(agent)]));
      expect(plain(patched)).toEqual(plain(fresh));
      received.push(...stream.data);
    }),
    { numRuns: 25 },
  );
});
