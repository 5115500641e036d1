import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { App } from '../../src/app.js';
import {
  AGENT_FIELDS,
  request,
  simulator,
  SocketClient,
  startApp,
  type Subscription,
  WirePicture,
  type WireUpdate,
} from '../support/app.js';
import { withoutNulls } from '../support/reader.js';

const TOOLS = [
  'agent_spawn',
  'agent_terminate',
  'agent_update',
  'task_create',
  'task_orchestrate',
  'swarm_init',
  'spawn_agent',
];

/** Something that a person does to a server. The servers stand still otherwise (0 Hz), so that a picture can be compared. */
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

/** The picture after all updates so far, on top of what an earlier stream had told. */
function pictureOf(base: readonly WireUpdate[], stream: Subscription<WireUpdate>): WirePicture {
  const picture = new WirePicture();
  for (const update of [...base, ...stream.data]) picture.apply(update);
  return picture;
}

test('any actions, any filters, resumed on one socket: whole agents and patches both add up to a fresh query', async () => {
  await using app = await startApp([
    simulator('claude-flow', { hz: 0 }, { allowTools: TOOLS }),
    simulator('ruv-swarm', { hz: 0 }, { allowTools: TOOLS }),
    simulator('daa', { hz: 0 }, { allowTools: TOOLS }),
  ]);
  await using client = new SocketClient(app);
  const told: WireUpdate[] = [];
  await fc.assert(
    fc.asyncProperty(reading, fc.array(action, { minLength: 1, maxLength: 4 }), async (variables, actions) => {
      const after = told.at(-1)?.agentUpdates.cursor ?? null;
      using stream = client.watchAgents({ ...variables, after });
      for (const one of actions) await act(app, one);
      const included = (agent: unknown): unknown => ({
        ...(agent as object),
        ...(!variables.includePerformance && { performance: null }),
        ...(!variables.includeNeural && { neural: null }),
      });
      // What an action changes may take the server's next poll to be known whole, so both are looked at anew with each
      // update.
      const query = async (): Promise<Map<string, unknown>> =>
        new Map([...(await freshAgents(app, variables))].map(([id, agent]) => [id, included(agent)]));
      const sorted = (agents: Map<string, unknown>): string => JSON.stringify([...agents].sort());
      let seen = stream.data.length;
      let fresh = await query();
      while (sorted(pictureOf(told, stream).whole) !== sorted(fresh)) {
        const known = seen;
        await stream.until(({ length }) => length > known);
        seen = stream.data.length;
        fresh = await query();
      }
      const { patched } = pictureOf(told, stream);
      const plain = (agents: Map<string, unknown>): Map<string, unknown> =>
        new Map([...agents].map(([id, agent]) => [id, withoutNulls(agent)]));
      expect(plain(patched)).toEqual(plain(fresh));
      told.push(...stream.data);
    }),
    { numRuns: 25 },
  );
});
