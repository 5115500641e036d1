import { describe, expect, test } from 'vitest';
import { Control } from './control.js';
import { expectWhole } from './ending.js';
import { overNetwork, QUICK_RESTART, startWithFront } from './endpoints.js';
import { Stage } from './stage.js';

/** One poll that fails does not open it yet, though it makes several calls and repeats each. */
const QUICK_BREAKER = { failures: 20, initialMs: 200, maxMs: 1_000 };
const THERE_AND_BACK = [
  'ONLINE>DEGRADED',
  'CLOSED>OPEN',
  'DEGRADED>OFFLINE',
  'OPEN>HALF_OPEN',
  'HALF_OPEN>CLOSED',
  'OFFLINE>ONLINE',
];
const NOTICES = ['SERVER_DEGRADED', 'SERVER_OFFLINE', 'SERVER_ONLINE'];

describe.concurrent('a server over HTTP that', () => {
  test('refuses connections: its agents stay, stale, behind an open breaker; it is back when it listens again', async () => {
    await using control = await Control.open();
    const shaky = control.expect('shaky', { type: 'ruv-swarm' });
    await using _process = await startWithFront(shaky, 'http');
    await using stage = await Stage.open([overNetwork(shaky, 'http', { breaker: QUICK_BREAKER })]);
    await shaky.order({ do: 'refuse' });
    await stage.isStale('shaky');
    const last = stage.agentsOf('shaky');
    expect(last.length).toBeGreaterThan(0);
    expect(last.every(({ stale }) => stale === true)).toBe(true);
    await stage.goesOn();
    expect(stage.agentsOf('shaky')).toEqual(last);
    await stage.noticed('shaky', 'SERVER_OFFLINE');
    const { server } = await stage.ask('{ server(id: "shaky") { status stale lastError agentCount } }');
    expect(server).toEqual({
      status: 'OFFLINE',
      stale: true,
      lastError: expect.stringMatching(/./),
      agentCount: last.length,
    });
    await shaky.order({ do: 'accept' });
    await stage.noticed('shaky', 'SERVER_ONLINE');
    await expectWhole(stage, [shaky]);
    expect(stage.healthButFailedProbes('shaky')).toEqual(THERE_AND_BACK);
    expect(stage.reasons('shaky')[0]).toContain('ECONNREFUSED');
    expect(stage.notices('shaky')).toEqual(NOTICES);
  });

  test('closes each connection with the first call after its handshake: as one that refuses', async () => {
    await using control = await Control.open();
    const shaky = control.expect('shaky', { type: 'ruv-swarm' });
    await using _process = await startWithFront(shaky, 'http');
    await using stage = await Stage.open([overNetwork(shaky, 'http', { breaker: QUICK_BREAKER })]);
    await shaky.order({ do: 'hangUp', on: 'tools/call' });
    await stage.isStale('shaky');
    expect(stage.agentsOf('shaky').length).toBeGreaterThan(0);
    await stage.goesOn();
    await stage.noticed('shaky', 'SERVER_OFFLINE');
    await shaky.order({ do: 'hangUp', on: null });
    await stage.noticed('shaky', 'SERVER_ONLINE');
    await expectWhole(stage, [shaky]);
    expect(stage.healthButFailedProbes('shaky')).toEqual(THERE_AND_BACK);
    expect(stage.notices('shaky')).toEqual(NOTICES);
  });

  test('is another process with fewer agents: those that are gone are removed, the others fresh again', async () => {
    await using control = await Control.open();
    const shaky = control.expect('shaky', { type: 'ruv-swarm', hz: 0, agents: 6 });
    const first = await startWithFront(shaky, 'http');
    await using stage = await Stage.open([overNetwork(shaky, 'http', { breaker: QUICK_BREAKER })]);
    const before = stage.agentsOf('shaky').map(({ id }) => id);
    expect(before).toHaveLength(6);
    await first[Symbol.asyncDispose]();
    await stage.isStale('shaky');
    const wentStale = stage.stream.data.length;
    shaky.life = { ...shaky.life, agents: 2 };
    await using _second = await startWithFront(shaky, 'http');
    await stage.noticed('shaky', 'SERVER_ONLINE');
    await expectWhole(stage, [shaky]);
    const after = stage.agentsOf('shaky').map(({ id }) => id);
    expect(after).toHaveLength(2);
    const removed = stage.stream.data.slice(wentStale).flatMap(({ agentUpdates }) => agentUpdates.removedAgentIds);
    expect(removed.filter((id) => id.startsWith('shaky:')).toSorted()).toEqual(
      before.filter((id) => !after.includes(id)).toSorted(),
    );
  });
});

describe.concurrent('a server over TCP that', () => {
  test('refuses connections: its agents stay, stale; it is OFFLINE and back once, however often it was tried', async () => {
    await using control = await Control.open();
    const shaky = control.expect('shaky', { type: 'daa' });
    await using _process = await startWithFront(shaky, 'tcp');
    await using stage = await Stage.open([overNetwork(shaky, 'tcp', { restart: QUICK_RESTART })]);
    await shaky.order({ do: 'refuse' });
    await stage.isStale('shaky');
    const last = stage.agentsOf('shaky');
    expect(last.length).toBeGreaterThan(0);
    expect(last.every(({ stale }) => stale === true)).toBe(true);
    await stage.goesOn();
    expect(stage.agentsOf('shaky')).toEqual(last);
    await shaky.order({ do: 'accept' });
    await stage.noticed('shaky', 'SERVER_ONLINE');
    await expectWhole(stage, [shaky]);
    expect(stage.statuses('shaky')).toEqual(['ONLINE>OFFLINE', 'OFFLINE>ONLINE']);
    expect(stage.notices('shaky')).toEqual(['SERVER_OFFLINE', 'SERVER_ONLINE']);
  });

  test('closes each connection with the first call after its handshake: as one that refuses', async () => {
    await using control = await Control.open();
    const shaky = control.expect('shaky', { type: 'daa' });
    await using _process = await startWithFront(shaky, 'tcp');
    await using stage = await Stage.open([overNetwork(shaky, 'tcp', { restart: QUICK_RESTART })]);
    await shaky.order({ do: 'hangUp', on: 'tools/call' });
    await shaky.called('tools/call', 3);
    await stage.isStale('shaky');
    expect(stage.agentsOf('shaky').length).toBeGreaterThan(0);
    await stage.goesOn();
    await shaky.order({ do: 'hangUp', on: null });
    await stage.noticed('shaky', 'SERVER_ONLINE');
    await expectWhole(stage, [shaky]);
    // What fails just when it is connected again is a poll that failed (DEGRADED), and then it is gone again.
    const statuses = stage.statuses('shaky');
    expect(statuses[0]).toBe('ONLINE>OFFLINE');
    expect(statuses.findIndex((change) => change.endsWith('>ONLINE'))).toBe(statuses.length - 1);
    expect(stage.notices('shaky').filter((code) => code !== 'SERVER_DEGRADED')).toEqual(
      statuses.flatMap((change) => {
        if (change.endsWith('>OFFLINE')) return ['SERVER_OFFLINE'];
        return change.endsWith('>ONLINE') ? ['SERVER_ONLINE'] : [];
      }),
    );
  });
});
