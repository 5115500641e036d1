import { describe, expect, test } from 'vitest';
import { Control } from './control.js';
import { overStdio, QUICK_RESTART } from './endpoints.js';
import { expectWhole } from './ending.js';
import { Stage } from './stage.js';

describe.concurrent('a process that', () => {
  test('is killed with -9 in the middle of a call: its agents stay, stale; it is OFFLINE and back once', async () => {
    await using control = await Control.open();
    const shaky = control.expect('shaky', { type: 'daa' });
    await using stage = await Stage.open([overStdio(shaky)]);
    const calls = await shaky.order({ do: 'damage', damage: { kind: 'silent', tool: 'list_agents' } });
    await shaky.called('list_agents', 1, calls.get('list_agents'));
    shaky.hold();
    shaky.kill('SIGKILL');
    await stage.isStale('shaky');
    const last = stage.agentsOf('shaky');
    expect(last.length).toBeGreaterThan(0);
    expect(last.every(({ stale }) => stale === true)).toBe(true);
    await stage.goesOn();
    expect(stage.agentsOf('shaky')).toEqual(last);

    shaky.release();
    await stage.healthIs('shaky', 'OFFLINE>ONLINE');
    await stage.noticed('shaky', 'SERVER_ONLINE');
    await expectWhole(stage, [shaky]);
    expect(stage.health('shaky')).toEqual(['ONLINE>OFFLINE', 'OFFLINE>ONLINE']);
    expect(stage.reasons('shaky')[0]).toContain('signal SIGKILL');
    expect(stage.notices('shaky')).toEqual(['SERVER_OFFLINE', 'SERVER_ONLINE']);
  });

  test('ends after each handshake: its agents stay, stale, and it is OFFLINE once, however often it is tried', async () => {
    await using control = await Control.open();
    const shaky = control.expect('shaky', { type: 'daa' });
    await using stage = await Stage.open([overStdio(shaky, { restart: QUICK_RESTART })]);
    const before = shaky.incarnations;
    shaky.life = { ...shaky.life, exitOn: { tool: 'list_agents', count: 1 } };
    shaky.kill('SIGKILL');
    await stage.isStale('shaky');
    await shaky.until(() => shaky.incarnations >= before + 3);
    expect(stage.agentsOf('shaky').length).toBeGreaterThan(0);
    await stage.goesOn();
    shaky.life = { ...shaky.life, exitOn: null };
    await stage.healthIs('shaky', 'OFFLINE>ONLINE');
    await stage.noticed('shaky', 'SERVER_ONLINE');
    await expectWhole(stage, [shaky]);
    expect(stage.statuses('shaky')).toEqual(['ONLINE>OFFLINE', 'OFFLINE>ONLINE']);
    expect(stage.notices('shaky')).toEqual(['SERVER_OFFLINE', 'SERVER_ONLINE']);
  });

  test('flaps: its agents turn stale and fresh with it, none is removed and none doubled', async () => {
    await using control = await Control.open();
    // It is polled ten times a second, and ends with the second poll of each life.
    const flapping = { exitOn: { tool: 'list_agents', count: 2 } };
    const shaky = control.expect('shaky', { type: 'daa', hz: 0 });
    await using stage = await Stage.open([overStdio(shaky, { restart: QUICK_RESTART })]);
    shaky.life = { ...shaky.life, ...flapping };
    shaky.kill('SIGKILL');
    await shaky.until(() => shaky.incarnations >= 4);
    shaky.life = { ...shaky.life, exitOn: null };
    const flaps = shaky.incarnations;
    await stage.healthIs('shaky', 'OFFLINE>ONLINE');
    await shaky.until(() => shaky.incarnations > flaps || shaky.calls('list_agents') > 2);
    await stage.goesOn();
    await expectWhole(stage, [shaky]);
    const health = stage.statuses('shaky');
    expect(new Set(health)).toEqual(new Set(['ONLINE>OFFLINE', 'OFFLINE>ONLINE']));
    expect(health.length).toBeGreaterThanOrEqual(4);
    const removed = stage.stream.data.flatMap(({ agentUpdates }) => agentUpdates.removedAgentIds);
    expect(removed.filter((id) => id.startsWith('shaky:'))).toEqual([]);
  });

  test('comes back with fewer agents: those that it lost are removed, the others fresh again', async () => {
    await using control = await Control.open();
    const shaky = control.expect('shaky', { type: 'daa', hz: 0, agents: 6 });
    await using stage = await Stage.open([overStdio(shaky)]);
    const before = stage.agentsOf('shaky').map(({ id }) => id);
    expect(before).toHaveLength(6);
    shaky.life = { ...shaky.life, agents: 2 };
    shaky.hold();
    shaky.kill('SIGKILL');
    await stage.isStale('shaky');
    expect(stage.agentsOf('shaky')).toHaveLength(6);
    shaky.release();
    const wentStale = stage.stream.data.length;
    await stage.healthIs('shaky', 'OFFLINE>ONLINE');
    await stage.noticed('shaky', 'SERVER_ONLINE');
    await expectWhole(stage, [shaky]);
    const after = stage.agentsOf('shaky').map(({ id }) => id);
    expect(after).toHaveLength(2);
    const removed = stage.stream.data.slice(wentStale).flatMap(({ agentUpdates }) => agentUpdates.removedAgentIds);
    expect(removed.filter((id) => id.startsWith('shaky:')).toSorted()).toEqual(
      before.filter((id) => !after.includes(id)).toSorted(),
    );
    expect(stage.health('shaky')).toEqual(['ONLINE>OFFLINE', 'OFFLINE>ONLINE']);
  });
});

test.concurrent(
  'all servers down: every agent stays, stale, for who is there and who comes; all back at once: every agent fresh, once',
  async () => {
    await using control = await Control.open();
    const servers = [
      control.expect('one', { type: 'daa' }),
      control.expect('two', { type: 'ruv-swarm' }),
      control.expect('three', { type: 'claude-flow' }),
    ];
    const names = servers.map(({ name }) => name);
    const configs = servers.map((server) =>
      overStdio(server, server.life.type === 'claude-flow' ? { serverType: 'CLAUDE_FLOW' } : {}),
    );
    await using stage = await Stage.open(configs);
    await stage.goesOn('three');
    for (const server of servers) {
      server.hold();
      server.kill('SIGKILL');
    }
    await stage.isStale(...names);
    await Promise.all(names.map((name) => stage.noticed(name, 'SERVER_OFFLINE')));
    for (const name of names) {
      expect(stage.agentsOf(name).length).toBeGreaterThan(0);
      expect(stage.agentsOf(name).every(({ stale }) => stale === true)).toBe(true);
    }
    using newcomer = stage.client.watchAgents({ serverTypes: ['DAA', 'CLAUDE_FLOW'] });
    const [first] = await newcomer.until(({ length }) => length >= 1);
    expect(first?.agentUpdates.kind).toBe('SNAPSHOT');
    expect(first?.agentUpdates.agents.every(({ stale }) => stale === true)).toBe(true);
    await stage.goesOn();

    await Promise.all(servers.map((server) => server.until(() => server.incarnations === 2)));
    for (const server of servers) server.release();
    await Promise.all(names.map((name) => stage.noticed(name, 'SERVER_ONLINE')));
    await expectWhole(stage, servers);
    for (const name of names) {
      expect(stage.health(name)).toEqual(['ONLINE>OFFLINE', 'OFFLINE>ONLINE']);
      expect(stage.notices(name)).toEqual(['SERVER_OFFLINE', 'SERVER_ONLINE']);
    }
  },
);
