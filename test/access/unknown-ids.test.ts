import fc from 'fast-check';
import { parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { ANONYMOUS_VIEWER, type Permission } from '../../src/auth/index.js';
import { type Restriction, UNRESTRICTED } from '../../src/model/index.js';
import { emptyDelta } from '../../src/state/index.js';
import { EPOCH_TIME } from '../support/arbitraries.js';
import { settled } from '../support/manual-clock.js';
import { runs } from '../support/fuzz-inputs.js';
import { isPartlyHidden, isServerVisible } from './brute-force.js';
import { selectAll } from './selections.js';
import { type Answer, FakeUpstreams, AccessSetup, createRestrictedViewer } from './access-setup.js';
import {
  AGENT_IDS,
  RESTRICTION_KINDS,
  toSnapshot,
  toRestriction,
  type RawServerState,
  serverStates,
  SERVER_IDS,
  SWARM_IDS,
} from './generated-states.js';

/** Id that no server, agent or swarm has. */
const UNKNOWN_ID = 'srv-n';

const worlds = fc.tuple(...SERVER_IDS.map(serverStates));
const restrictions = fc.oneof(...Object.values(RESTRICTION_KINDS).map(toRestriction));

function createSetup(world: readonly RawServerState[]): AccessSetup {
  const setup = new AccessSetup(new FakeUpstreams(SERVER_IDS));
  for (const state of world) setup.store.commit(setup.store.diff(toSnapshot(state), EPOCH_TIME));
  return setup;
}

function visibleServerIds(restriction: Restriction, world: readonly RawServerState[]): readonly string[] {
  return world.flatMap(({ server }) => (isServerVisible(restriction, server) ? [server.id] : []));
}

/** Checks that a hidden id gets the same answer as an unknown id. */
async function expectSameAsUnknown(
  setup: AccessSetup,
  text: (id: string) => string,
  id: string,
  restriction: Restriction,
): Promise<Answer> {
  const viewer = createRestrictedViewer(restriction);
  const answer = await setup.run(parse(text(id)), viewer);
  const unknownAnswer = await setup.run(parse(text(UNKNOWN_ID)), viewer);
  expect(JSON.parse(JSON.stringify(answer).replaceAll(id, UNKNOWN_ID))).toEqual(unknownAnswer);
  return answer;
}

describe('access scope', () => {
  test('for any restriction: reports a hidden server as unknown and does not poll it', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, restrictions, async (world, restriction) => {
        using setup = createSetup(world);
        const viewer = createRestrictedViewer(restriction);
        const visible = visibleServerIds(restriction, world);
        const visibleNames = visible.join(', ') || 'none';
        for (const id of SERVER_IDS.filter((serverId) => !visible.includes(serverId))) {
          await expectSameAsUnknown(
            setup,
            (asksFor) => `{ ${selectAll('Query', 'server', `(id: "${asksFor}")`)} }`,
            id,
            restriction,
          );
          for (const [name, args, argument] of [
            ['callTool', (asksFor: string) => `(serverId: "${asksFor}", tool: "agent_list")`, 'serverId'],
            ['requestAgentUpdate', (asksFor: string) => `(serverIds: ["${asksFor}"])`, 'serverIds'],
          ] as const) {
            const text = (asksFor: string): string => `mutation { ${selectAll('Mutation', name, args(asksFor))} }`;
            expect(await expectSameAsUnknown(setup, text, id, restriction)).toMatchObject({
              data: null,
              errors: [
                {
                  code: 'BAD_USER_INPUT',
                  message: `Unknown server "${id}" in argument "${argument}". Known servers: ${visibleNames}.`,
                },
              ],
            });
          }
        }
        const update = await setup.run(
          parse('mutation { requestAgentUpdate { serverIds unansweredServerIds } }'),
          viewer,
        );
        expect(update.data?.['requestAgentUpdate']).toEqual({ serverIds: visible, unansweredServerIds: [] });
        const refreshed = await setup.run(
          parse('mutation { refreshDiscovery { servers { id } totalAgents } }'),
          viewer,
        );
        const { servers } = refreshed.data?.['refreshDiscovery'] as { servers: { id: string }[] }; // the selected fields
        expect(servers.map(({ id }) => id)).toEqual(visible);
        expect(setup.upstreams.polled).toEqual([visible, visible]);
      }),
      runs(60),
    );
  });

  test('for any restriction: forbids callTool unless everything of the server is visible', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, restrictions, async (world, restriction) => {
        using setup = createSetup(world);
        for (const { server } of world.filter((state) => isServerVisible(restriction, state.server))) {
          const text = `mutation { callTool(serverId: "${server.id}", tool: "agent_list") { content } }`;
          const answer = await setup.run(parse(text), createRestrictedViewer(restriction));
          const isFullyVisible = !isPartlyHidden(restriction, server) && restriction.performance && restriction.neural;
          if (isFullyVisible) expect(answer).toEqual({ data: { callTool: { content: `all of ${server.id}` } } });
          else expect(answer).toMatchObject({ data: null, errors: [{ code: 'FORBIDDEN' }] });
        }
      }),
      runs(60),
    );
  });

  test('returns null for hidden agents and swarms as for unknown ones', async () => {
    const restriction = { ...UNRESTRICTED, agentTypes: [] };
    const [world] = fc.sample(worlds, { numRuns: 1, seed: 8 });
    using setup = createSetup(world ?? []);
    expect(setup.store.agents.size).toBeGreaterThan(0);
    for (const id of AGENT_IDS) {
      await expectSameAsUnknown(
        setup,
        (unknownId) => `{ ${selectAll('Query', 'agent', `(id: "${unknownId}")`)} }`,
        id,
        restriction,
      );
    }
    for (const id of SWARM_IDS) {
      const viewer = { ...restriction, serverIds: [UNKNOWN_ID] };
      await expectSameAsUnknown(
        setup,
        (unknownId) => `{ ${selectAll('Query', 'topology', `(swarmId: "${unknownId}")`)} }`,
        id,
        viewer,
      );
    }
  });

  test('lists no candidates without servers:admin or with a restriction on servers', async () => {
    using setup = createSetup([]);
    const find = async (restriction: Restriction, ...permissions: Permission[]): Promise<unknown> => {
      const viewer = createRestrictedViewer(restriction, new Set<Permission>(['agents:read', ...permissions]));
      return (await setup.run(parse('{ discovery { candidates { name } } }'), viewer)).data?.['discovery'];
    };
    const found = { candidates: [{ name: 'srv-y' }] };
    expect(await find(UNRESTRICTED, 'servers:admin')).toEqual(found);
    expect(await find({ ...UNRESTRICTED, agentTypes: ['coder'] }, 'servers:admin')).toEqual(found);
    expect(await find({ ...UNRESTRICTED, serverIds: ['srv-y'] }, 'servers:admin')).toEqual({ candidates: [] });
    expect(await find(UNRESTRICTED, 'tools:call', 'health:read')).toEqual({ candidates: [] });
  });

  test('returns a snapshot of the visible state for a cursor of another access scope', async () => {
    using setup = new AccessSetup(new FakeUpstreams(SERVER_IDS));
    const [state] = fc.sample(
      serverStates('srv-x').filter(({ report }) => report.agents.length > 2),
      { numRuns: 1, seed: 3 },
    );
    if (state === undefined) throw new Error('no sample');
    setup.store.commit(setup.store.diff(toSnapshot(state), EPOCH_TIME));
    const coders = createRestrictedViewer({ ...UNRESTRICTED, agentTypes: ['coder'] });
    const text = (after: string): string => `subscription { agentUpdates${after} { kind cursor agents { type } } }`;
    const all = await setup.listen(text(''), ANONYMOUS_VIEWER);
    const restricted = await setup.listen(text(''), coders);
    await settled();
    for (const [received, kinds] of [
      [all.received, ['SNAPSHOT']],
      [restricted.received, []],
    ] as const) {
      const resumed = await setup.listen(text(`(after: "${String(received[0]?.['cursor'])}")`), coders);
      await settled();
      expect(resumed.received.map(({ kind }) => kind)).toEqual(kinds);
      expect(JSON.stringify(resumed.received)).not.toMatch(/tester|queen/);
      await resumed.close();
    }
    await all.close();
    await restricted.close();
  });

  test('demands polls of visible servers only for a restricted subscription', async () => {
    using setup = createSetup([]);
    const text = 'subscription { agentUpdates(mode: HIGH_FREQUENCY) { kind } }';
    const reader = await setup.listen(text, createRestrictedViewer({ ...UNRESTRICTED, serverIds: ['srv-x'] }));
    const types = ['DAA'] as const;
    expect(SERVER_IDS.map((id) => setup.demand.requiredHz({ id, agentServerTypes: types }))).toEqual([60, 0, 0]);
    await reader.close();
  });

  test('for any history of a hidden server: commits nothing to its store', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(serverStates('srv-y'), { minLength: 1 }), async (history) => {
        using setup = createSetup([]);
        const { store } = setup.accessScopes.servicesFor(
          createRestrictedViewer({ ...UNRESTRICTED, serverIds: ['srv-x'] }),
        );
        for (const state of history) {
          setup.store.commit({ ...setup.store.diff(toSnapshot(state), EPOCH_TIME), events: state.events });
        }
        setup.store.commit(setup.store.removalDelta('srv-y'));
        await settled();
        expect({ commits: store.commitCount, revision: store.revision }).toEqual({ commits: 0, revision: 0 });
      }),
      runs(20),
    );
  });

  test('is disposed after ten unused minutes unless a stream is open', async () => {
    using setup = createSetup([]);
    const [idle, read] = ['srv-x', 'srv-y'].map((id) => createRestrictedViewer({ ...UNRESTRICTED, serverIds: [id] }));
    if (idle === undefined || read === undefined) throw new Error('no viewers');
    const before = [idle, read, ANONYMOUS_VIEWER].map((viewer) => setup.accessScopes.servicesFor(viewer).store.epoch);
    expect(setup.accessScopes.size).toBe(2);
    const reader = await setup.listen('subscription { notices { code } }', read);
    setup.clock.advance(10 * 60_000 + 1);
    setup.store.commit(emptyDelta('srv-z'));
    expect(setup.accessScopes.size).toBe(1);
    const after = [idle, read, ANONYMOUS_VIEWER].map((viewer) => setup.accessScopes.servicesFor(viewer).store.epoch);
    expect(after.map((epoch, index) => epoch === before[index])).toEqual([false, true, true]);
    await reader.close();
    setup.clock.advance(10 * 60_000 + 1);
    setup.store.commit(emptyDelta('srv-z'));
    setup.clock.advance(10 * 60_000 + 1);
    setup.store.commit(emptyDelta('srv-z'));
    expect(setup.accessScopes.size).toBe(0);
  });
});
