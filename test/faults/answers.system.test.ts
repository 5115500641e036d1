import { describe, expect, test } from 'vitest';
import { Control } from './control.js';
import { overStdio } from './endpoints.js';
import { expectWhole } from './ending.js';
import type { Damage, FaultyServer } from './faulty-server.js';
import { Stage } from './stage.js';

const MB = 1024 * 1024;
/** Of a call, where the test is about calls that are not answered; above the time of any answer on a slow machine. */
const TIMEOUT_MS = 5_000;
/** The breaker stays closed however many polls fail meanwhile. */
const FAILING = { timeoutMs: TIMEOUT_MS, breaker: { failures: 1_000, initialMs: 1_000, maxMs: 1_000 } };

describe.concurrent(
  'polls that fail: the agents are stale and the server DEGRADED once, then fresh again, after',
  () => {
    const rows: readonly (readonly [name: string, kind: Damage['kind']])[] = [
      ['never answering', 'silent'],
      ['answering under a wrong id', 'wrongId'],
      ['answering with invalid JSON', 'invalidJson'],
      ['answering late, when the calls have timed out: what comes then belongs to nobody', 'late'],
    ];
    test.each(rows)('%s', async (_name, kind) => {
      await using control = await Control.open();
      const shaky = control.expect('shaky', { type: 'daa' });
      await using stage = await Stage.open([overStdio(shaky, FAILING)]);
      await shaky.order({ do: 'damage', damage: { kind, tool: 'list_agents' } });
      await stage.isStale('shaky');
      await shaky.order({ do: 'damage', damage: null });
      await shaky.order({ do: 'release' });
      await expectFailedPolls(stage, shaky);
    });

    test('answering with half a line: the other half never comes, and whatever is told next sticks to it', async () => {
      await using control = await Control.open();
      const shaky = control.expect('shaky', { type: 'daa' });
      await using stage = await Stage.open([overStdio(shaky, FAILING)]);
      await shaky.order({ do: 'damage', damage: { kind: 'halfLine', tool: 'list_agents' } });
      await stage.isStale('shaky');
      await shaky.order({ do: 'damage', damage: null });
      // The answer to another call may be lost with the last half, a moment later.
      await stage.healthIs('shaky', 'DEGRADED>ONLINE');
      await stage.goesOn('shaky');
      await expectWhole(stage, [shaky]);
      expect(shaky.incarnations).toBe(1);
      expect(new Set(stage.health('shaky'))).toEqual(new Set(['ONLINE>DEGRADED', 'DEGRADED>ONLINE']));
    });
  },
);

async function expectFailedPolls(stage: Stage, shaky: FaultyServer): Promise<void> {
  await stage.healthIs('shaky', 'DEGRADED>ONLINE');
  await stage.noticed('shaky', 'SERVER_ONLINE');
  const stale = stage.stream.data.findIndex(({ agentUpdates }) => agentUpdates.staleServerIds.includes('shaky'));
  const then = [...stage.picture(stale + 1).whole.values()].filter((agent) => agent['serverId'] === 'shaky');
  expect(then.length).toBeGreaterThan(0);
  expect(then.every((agent) => agent['stale'] === true)).toBe(true);
  await stage.goesOn();
  await expectWhole(stage, [shaky]);
  expect(shaky.incarnations).toBe(1);
  expect(stage.health('shaky')).toEqual(['ONLINE>DEGRADED', 'DEGRADED>ONLINE']);
  expect(stage.reasons('shaky')[0]).toContain(`${TIMEOUT_MS} ms`);
  expect(stage.notices('shaky')).toEqual(['SERVER_DEGRADED', 'SERVER_ONLINE']);
}

describe.concurrent('nothing is noticed, and every update goes on', () => {
  const rows: readonly (readonly [name: string, damage: Damage])[] = [
    ['answering everything twice', { kind: 'twice' }],
    ['an answer of 9 MB', { kind: 'padded', bytes: 9 * MB, tool: 'list_agents', times: 1 }],
    ['an answer that drips in byte by byte', { kind: 'drip', tool: 'list_agents', times: 1 }],
  ];
  test.each(rows)('%s', async (_name, damage) => {
    await using control = await Control.open();
    const shaky = control.expect('shaky', { type: 'daa', agents: 0 });
    await using stage = await Stage.open([overStdio(shaky, { allowTools: ['list_agents', 'spawn_agent'] })]);
    await stage.ask(
      `mutation { callTool(serverId: "shaky", tool: "spawn_agent", arguments: {
        config: { name: "zweiköpfig 🐝", agent_type: "treasury" } }) { content } }`,
    );
    await shaky.order({ do: 'damage', damage });
    await shaky.called('list_agents', (damage.times ?? 2) + 1);
    await stage.goesOn('shaky');
    await stage.goesOn();
    await shaky.order({ do: 'damage', damage: null });
    await expectWhole(stage, [shaky]);
    await expectUnnoticed(stage, shaky);
    expect(stage.agentsOf('shaky').map(({ name }) => name)).toContain('zweiköpfig 🐝');
  });

  test('an error without an id before each answer', async () => {
    await using control = await Control.open();
    // Not DAA's, whose errors never have one: there it is the answer.
    const shaky = control.expect('shaky', { type: 'ruv-swarm' });
    await using stage = await Stage.open([overStdio(shaky, { allowTools: ['agent_list'] })]);
    await shaky.order({ do: 'damage', damage: { kind: 'idlessError' } });
    await shaky.called('agent_list', 3);
    await stage.goesOn('shaky');
    await stage.goesOn();
    await shaky.order({ do: 'damage', damage: null });
    await expectWhole(stage, [shaky]);
    await expectUnnoticed(stage, shaky);
  });

  test('a flood of notifications: polls come no more often than `maxPollHz` allows', async () => {
    await using control = await Control.open();
    const shaky = control.expect('shaky', { type: 'daa' });
    const maxPollHz = 20;
    await using stage = await Stage.open([overStdio(shaky, { maxPollHz })]);
    const before = shaky.calls('list_agents');
    const startMs = performance.now();
    await shaky.order({ do: 'flood', count: 20_000 });
    await stage.goesOn('shaky');
    const polls = shaky.calls('list_agents') - before;
    const most = ((performance.now() - startMs) / 1_000) * maxPollHz;
    // One that was due, and one that has begun.
    expect(polls).toBeLessThanOrEqual(most + 2);
    await stage.goesOn();
    await expectWhole(stage, [shaky]);
    await expectUnnoticed(stage, shaky);
  });
});

async function expectUnnoticed(stage: Stage, shaky: FaultyServer): Promise<void> {
  expect(shaky.incarnations).toBe(1);
  expect(stage.health('shaky')).toEqual([]);
  expect(stage.notices('shaky')).toEqual([]);
  expect(stage.stream.data.flatMap(({ agentUpdates }) => agentUpdates.staleServerIds)).toEqual([]);
}

test('an answer of 11 MB: the session is given up and the server started again, OFFLINE and back once', async () => {
  await using control = await Control.open();
  const shaky = control.expect('shaky', { type: 'daa' });
  await using stage = await Stage.open([overStdio(shaky)]);
  shaky.hold();
  await shaky.order({ do: 'damage', damage: { kind: 'padded', bytes: 11 * MB, tool: 'list_agents', times: 1 } });
  await stage.isStale('shaky');
  await stage.goesOn();
  shaky.release();
  await stage.healthIs('shaky', 'OFFLINE>ONLINE');
  await stage.noticed('shaky', 'SERVER_ONLINE');
  await expectWhole(stage, [shaky]);
  expect(shaky.incarnations).toBe(2);
  expect(stage.health('shaky')).toEqual(['ONLINE>OFFLINE', 'OFFLINE>ONLINE']);
  expect(stage.reasons('shaky')[0]).toContain('more than 10 MB');
  expect(stage.notices('shaky')).toEqual(['SERVER_OFFLINE', 'SERVER_ONLINE']);
});
