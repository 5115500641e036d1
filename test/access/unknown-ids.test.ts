import fc from 'fast-check';
import { parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { ANONYMOUS_VIEWER, type Permission } from '../../src/auth/index.js';
import { type Restriction, UNRESTRICTED } from '../../src/model/index.js';
import { emptyDelta } from '../../src/state/index.js';
import { EPOCH_TIME } from '../support/arbitraries.js';
import { settled } from '../support/manual-clock.js';
import { isPartSeen, isServerSeen } from './brute-force.js';
import { asked } from './selections.js';
import { type Answer, SaidServers, Stage, viewerOf } from './access-setup.js';
import {
  AGENT_IDS,
  KINDS,
  pictureOf,
  restrictionOf,
  type Said,
  saidBy,
  SERVER_IDS,
  SWARM_IDS,
} from './generated-states.js';

/** Of no server, agent or swarm. */
const NOBODY = 'srv-n';

const worlds = fc.tuple(...SERVER_IDS.map(saidBy));
const restrictions = fc.oneof(...Object.values(KINDS).map(restrictionOf));

function stageOf(world: readonly Said[]): Stage {
  const stage = new Stage(new SaidServers(SERVER_IDS));
  for (const said of world) stage.store.commit(stage.store.diff(pictureOf(said), EPOCH_TIME));
  return stage;
}

function seenIds(restriction: Restriction, world: readonly Said[]): readonly string[] {
  return world.flatMap(({ server }) => (isServerSeen(restriction, server) ? [server.id] : []));
}

/** One answer to all who ask for what is not there, but for the id that they ask for. */
async function sameAsNobody(
  stage: Stage,
  text: (id: string) => string,
  id: string,
  restriction: Restriction,
): Promise<Answer> {
  const viewer = viewerOf(restriction);
  const answer = await stage.run(parse(text(id)), viewer);
  const nobody = await stage.run(parse(text(NOBODY)), viewer);
  expect(JSON.parse(JSON.stringify(answer).replaceAll(id, NOBODY))).toEqual(nobody);
  return answer;
}

describe('what a viewer is answered once', () => {
  test('any restriction: whom one does not see is answered like somebody who is not there, and is not asked', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, restrictions, async (world, restriction) => {
        using stage = stageOf(world);
        const viewer = viewerOf(restriction);
        const seen = seenIds(restriction, world);
        const known = seen.join(', ') || 'none';
        for (const id of SERVER_IDS.filter((one) => !seen.includes(one))) {
          await sameAsNobody(
            stage,
            (asksFor) => `{ ${asked('Query', 'server', `(id: "${asksFor}")`)} }`,
            id,
            restriction,
          );
          for (const [name, args, argument] of [
            ['callTool', (asksFor: string) => `(serverId: "${asksFor}", tool: "agent_list")`, 'serverId'],
            ['requestAgentUpdate', (asksFor: string) => `(serverIds: ["${asksFor}"])`, 'serverIds'],
          ] as const) {
            const text = (asksFor: string): string => `mutation { ${asked('Mutation', name, args(asksFor))} }`;
            expect(await sameAsNobody(stage, text, id, restriction)).toMatchObject({
              data: null,
              errors: [
                {
                  code: 'BAD_USER_INPUT',
                  message: `Unknown server "${id}" in argument "${argument}". Known servers: ${known}.`,
                },
              ],
            });
          }
        }
        const update = await stage.run(
          parse('mutation { requestAgentUpdate { serverIds unansweredServerIds } }'),
          viewer,
        );
        expect(update.data?.['requestAgentUpdate']).toEqual({ serverIds: seen, unansweredServerIds: [] });
        const refreshed = await stage.run(
          parse('mutation { refreshDiscovery { servers { id } totalAgents } }'),
          viewer,
        );
        const { servers } = refreshed.data?.['refreshDiscovery'] as { servers: { id: string }[] }; // as selected
        expect(servers.map(({ id }) => id)).toEqual(seen);
        expect(stage.collector.polled).toEqual([seen, seen]);
      }),
      { numRuns: 60 },
    );
  });

  test('any restriction: a tool answers those only who see all that it could tell of', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, restrictions, async (world, restriction) => {
        using stage = stageOf(world);
        for (const { server } of world.filter((said) => isServerSeen(restriction, said.server))) {
          const text = `mutation { callTool(serverId: "${server.id}", tool: "agent_list") { content } }`;
          const answer = await stage.run(parse(text), viewerOf(restriction));
          const isAllSeen = !isPartSeen(restriction, server) && restriction.performance && restriction.neural;
          if (isAllSeen) expect(answer).toEqual({ data: { callTool: { content: `all of ${server.id}` } } });
          else expect(answer).toMatchObject({ data: null, errors: [{ code: 'FORBIDDEN' }] });
        }
      }),
      { numRuns: 60 },
    );
  });

  test('agents and swarms that are not seen are null, as are those that are not there', async () => {
    const restriction = { ...UNRESTRICTED, agentTypes: [] };
    const [world] = fc.sample(worlds, { numRuns: 1, seed: 7 });
    using stage = stageOf(world ?? []);
    expect(stage.store.agents.size).toBeGreaterThan(0);
    for (const id of AGENT_IDS) {
      await sameAsNobody(stage, (one) => `{ ${asked('Query', 'agent', `(id: "${one}")`)} }`, id, restriction);
    }
    for (const id of SWARM_IDS) {
      const viewer = { ...restriction, serverIds: [NOBODY] };
      await sameAsNobody(stage, (one) => `{ ${asked('Query', 'topology', `(swarmId: "${one}")`)} }`, id, viewer);
    }
  });

  test('what is in the usual places is for those who may administer servers, and see all of them', async () => {
    using stage = stageOf([]);
    const find = async (restriction: Restriction, ...permissions: Permission[]): Promise<unknown> => {
      const viewer = viewerOf(restriction, new Set<Permission>(['agents:read', ...permissions]));
      return (await stage.run(parse('{ discovery { candidates { name } } }'), viewer)).data?.['discovery'];
    };
    const found = { candidates: [{ name: 'srv-y' }] };
    expect(await find(UNRESTRICTED, 'servers:admin')).toEqual(found);
    expect(await find({ ...UNRESTRICTED, agentTypes: ['coder'] }, 'servers:admin')).toEqual(found);
    expect(await find({ ...UNRESTRICTED, serverIds: ['srv-y'] }, 'servers:admin')).toEqual({ candidates: [] });
    expect(await find(UNRESTRICTED, 'tools:call', 'health:read')).toEqual({ candidates: [] });
  });

  test('a cursor of somebody who sees other things is no place to go on from: a snapshot, of what one sees', async () => {
    using stage = new Stage(new SaidServers(SERVER_IDS));
    const [said] = fc.sample(
      saidBy('srv-x').filter(({ report }) => report.agents.length > 2),
      { numRuns: 1, seed: 3 },
    );
    if (said === undefined) throw new Error('no sample');
    stage.store.commit(stage.store.diff(pictureOf(said), EPOCH_TIME));
    const coders = viewerOf({ ...UNRESTRICTED, agentTypes: ['coder'] });
    const text = (after: string): string => `subscription { agentUpdates${after} { kind cursor agents { type } } }`;
    const all = await stage.listen(text(''), ANONYMOUS_VIEWER);
    const own = await stage.listen(text(''), coders);
    await settled();
    for (const [told, kinds] of [
      [all.told, ['SNAPSHOT']],
      [own.told, []],
    ] as const) {
      const resumed = await stage.listen(text(`(after: "${String(told[0]?.['cursor'])}")`), coders);
      await settled();
      expect(resumed.told.map(({ kind }) => kind)).toEqual(kinds);
      expect(JSON.stringify(resumed.told)).not.toMatch(/tester|queen/);
      await resumed.leave();
    }
    await all.leave();
    await own.leave();
  });

  test('servers are polled for whom they are seen by', async () => {
    using stage = stageOf([]);
    const text = 'subscription { agentUpdates(mode: HIGH_FREQUENCY) { kind } }';
    const listener = await stage.listen(text, viewerOf({ ...UNRESTRICTED, serverIds: ['srv-x'] }));
    const families = ['DAA'] as const;
    expect(SERVER_IDS.map((id) => stage.demand.requiredHz({ id, agentServerTypes: families }))).toEqual([60, 0, 0]);
    await listener.leave();
  });

  test('a server that is not seen moves nothing, whatever it does and says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(saidBy('srv-y'), { minLength: 1 }), async (history) => {
        using stage = stageOf([]);
        const { store } = stage.sights.servicesFor(viewerOf({ ...UNRESTRICTED, serverIds: ['srv-x'] }));
        for (const said of history) {
          stage.store.commit({ ...stage.store.diff(pictureOf(said), EPOCH_TIME), events: said.events });
        }
        stage.store.commit(stage.store.removalDelta('srv-y'));
        await settled();
        expect({ commits: store.commitCount, revision: store.revision }).toEqual({ commits: 0, revision: 0 });
      }),
      { numRuns: 20 },
    );
  });

  test('a picture that nobody has asked for is forgotten after ten minutes, one that somebody reads is not', async () => {
    using stage = stageOf([]);
    const [idle, read] = ['srv-x', 'srv-y'].map((id) => viewerOf({ ...UNRESTRICTED, serverIds: [id] }));
    if (idle === undefined || read === undefined) throw new Error('no viewers');
    const before = [idle, read, ANONYMOUS_VIEWER].map((viewer) => stage.sights.servicesFor(viewer).store.epoch);
    expect(stage.sights.size).toBe(2);
    const listener = await stage.listen('subscription { notices { code } }', read);
    stage.clock.advance(10 * 60_000 + 1);
    stage.store.commit(emptyDelta('srv-z'));
    expect(stage.sights.size).toBe(1);
    const after = [idle, read, ANONYMOUS_VIEWER].map((viewer) => stage.sights.servicesFor(viewer).store.epoch);
    expect(after.map((epoch, index) => epoch === before[index])).toEqual([false, true, true]);
    await listener.leave();
    stage.clock.advance(10 * 60_000 + 1);
    stage.store.commit(emptyDelta('srv-z'));
    stage.clock.advance(10 * 60_000 + 1);
    stage.store.commit(emptyDelta('srv-z'));
    expect(stage.sights.size).toBe(0);
  });
});
