import { describe, expect, test } from 'vitest';
import { Control } from './fault-controller.js';
import { overStdio } from './endpoints.js';
import { expectWhole } from './assert-recovered.js';
import type { Damage, FaultyServer } from './faulty-server.js';
import { Stage } from './fault-setup.js';

const MB = 1024 * 1024;
/** Call timeout in milliseconds for tests of missing responses. Longer than any response on a slow machine. */
const TIMEOUT_MS = 5_000;
/** Server options with a circuit breaker that stays closed while polls fail. */
const FAILING = { timeoutMs: TIMEOUT_MS, breaker: { failures: 1_000, initialMs: 1_000, maxMs: 1_000 } };

describe.concurrent('server with failing polls', () => {
  const rows: readonly (readonly [name: string, kind: Damage['kind']])[] = [
    ['gives no responses', 'silent'],
    ['uses wrong response ids', 'wrongId'],
    ['sends invalid JSON', 'invalidJson'],
    ['responds after the timeout', 'late'],
  ];
  test.each(rows)('is DEGRADED with stale agents once when it %s', async (_name, kind) => {
    await using control = await Control.open();
    const shaky = control.expect('shaky', { type: 'daa' });
    await using stage = await Stage.open([overStdio(shaky, FAILING)]);
    await shaky.order({ do: 'damage', damage: { kind, tool: 'list_agents' } });
    await stage.isStale('shaky');
    await shaky.order({ do: 'damage', damage: null });
    await shaky.order({ do: 'release' });
    await expectFailedPolls(stage, shaky);
  });

  test('is DEGRADED with stale agents when it sends half a line that merges with the next message', async () => {
    await using control = await Control.open();
    const shaky = control.expect('shaky', { type: 'daa' });
    await using stage = await Stage.open([overStdio(shaky, FAILING)]);
    await shaky.order({ do: 'damage', damage: { kind: 'halfLine', tool: 'list_agents' } });
    await stage.isStale('shaky');
    await shaky.order({ do: 'damage', damage: null });
    // The next response is lost as well, because it continues the half line.
    await stage.healthIs('shaky', 'DEGRADED>ONLINE');
    await stage.goesOn('shaky');
    await expectWhole(stage, [shaky]);
    expect(shaky.incarnations).toBe(1);
    expect(new Set(stage.health('shaky'))).toEqual(new Set(['ONLINE>DEGRADED', 'DEGRADED>ONLINE']));
  });
});

async function expectFailedPolls(stage: Stage, shaky: FaultyServer): Promise<void> {
  await stage.healthIs('shaky', 'DEGRADED>ONLINE');
  await stage.noticed('shaky', 'SERVER_ONLINE');
  const stale = stage.stream.data.findIndex(({ agentUpdates }) => agentUpdates.staleServerIds.includes('shaky'));
  const staleAgents = [...stage.stateAfter(stale + 1).whole.values()].filter((agent) => agent['serverId'] === 'shaky');
  expect(staleAgents.length).toBeGreaterThan(0);
  expect(staleAgents.every((agent) => agent['stale'] === true)).toBe(true);
  await stage.goesOn();
  await expectWhole(stage, [shaky]);
  expect(shaky.incarnations).toBe(1);
  expect(stage.health('shaky')).toEqual(['ONLINE>DEGRADED', 'DEGRADED>ONLINE']);
  expect(stage.reasons('shaky')[0]).toContain(`${TIMEOUT_MS} ms`);
  expect(stage.notices('shaky')).toEqual(['SERVER_DEGRADED', 'SERVER_ONLINE']);
}

describe.concurrent('server with harmless protocol violations', () => {
  const rows: readonly (readonly [name: string, damage: Damage])[] = [
    ['sends every response twice', { kind: 'twice' }],
    ['sends a response of 9 MB', { kind: 'padded', bytes: 9 * MB, tool: 'list_agents', times: 1 }],
    ['sends a response byte by byte', { kind: 'drip', tool: 'list_agents', times: 1 }],
  ];
  test.each(rows)('stays ONLINE and keeps streaming when it %s', async (_name, damage) => {
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
    await expectNoEvents(stage, shaky);
    expect(stage.agentsOf('shaky').map(({ name }) => name)).toContain('zweiköpfig 🐝');
  });

  test('stays ONLINE and keeps streaming when it sends an error without id before each response', async () => {
    await using control = await Control.open();
    // Errors of DAA servers never have an id and count as responses, so this test needs another server type.
    const shaky = control.expect('shaky', { type: 'ruv-swarm' });
    await using stage = await Stage.open([overStdio(shaky, { allowTools: ['agent_list'] })]);
    await shaky.order({ do: 'damage', damage: { kind: 'idlessError' } });
    await shaky.called('agent_list', 3);
    await stage.goesOn('shaky');
    await stage.goesOn();
    await shaky.order({ do: 'damage', damage: null });
    await expectWhole(stage, [shaky]);
    await expectNoEvents(stage, shaky);
  });

  test('is polled at most at `maxPollHz` during a flood of notifications', async () => {
    await using control = await Control.open();
    const shaky = control.expect('shaky', { type: 'daa' });
    const maxPollHz = 20;
    await using stage = await Stage.open([overStdio(shaky, { maxPollHz })]);
    const before = shaky.calls('list_agents');
    const startMs = performance.now();
    await shaky.order({ do: 'flood', count: 20_000 });
    await stage.goesOn('shaky');
    const polls = shaky.calls('list_agents') - before;
    const maxPolls = ((performance.now() - startMs) / 1_000) * maxPollHz;
    // One poll may be due and another one in progress at the start.
    expect(polls).toBeLessThanOrEqual(maxPolls + 2);
    await stage.goesOn();
    await expectWhole(stage, [shaky]);
    await expectNoEvents(stage, shaky);
  });
});

async function expectNoEvents(stage: Stage, shaky: FaultyServer): Promise<void> {
  expect(shaky.incarnations).toBe(1);
  expect(stage.health('shaky')).toEqual([]);
  expect(stage.notices('shaky')).toEqual([]);
  expect(stage.stream.data.flatMap(({ agentUpdates }) => agentUpdates.staleServerIds)).toEqual([]);
}

test('a response of 11 MB closes the session and restarts the server once', async () => {
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
