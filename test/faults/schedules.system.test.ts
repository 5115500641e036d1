import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/shared/index.js';
import { request } from '../support/app.js';
import { Control } from './fault-controller.js';
import { expectWhole } from './assert-recovered.js';
import { overStdio } from './endpoints.js';
import { runRandomFaults } from './random/run.js';
import { Stage } from './fault-setup.js';

// Tests that mostly wait share one file, so that they wait concurrently.

const THERE_AND_BACK = [
  'ONLINE>DEGRADED',
  'CLOSED>OPEN',
  'DEGRADED>OFFLINE',
  'OPEN>HALF_OPEN',
  'HALF_OPEN>CLOSED',
  'OFFLINE>ONLINE',
];
/** Call timeout in milliseconds that is short enough for a test and longer than any response on a slow machine. */
const TIMEOUT_MS = 5_000;
const LIST = 'list_agents';
const CALL = `mutation { callTool(serverId: "shaky", tool: "${LIST}") { isError } }`;
const FORTY_YEARS_MS = 40 * 365 * 24 * 3_600_000;

describe.concurrent('circuit breaker', () => {
  test('opens after the configured failures, allows one probe and closes after a success', async () => {
    await using control = await Control.open();
    const shaky = control.expect('shaky', { type: 'daa' });
    const breaker = { failures: 2, initialMs: 1_000, maxMs: 1_000 };
    await using stage = await Stage.open([overStdio(shaky, { timeoutMs: TIMEOUT_MS, breaker })]);

    // The damage affects only calls that arrive after the order.
    const silence = { do: 'damage', damage: { kind: 'silent', tool: LIST } } as const;
    const callsBefore = (await shaky.order(silence)).get(LIST) ?? 0;
    /** Returns the opening time, or null if the breaker is not open. All earlier updates have arrived then. */
    const openedAt = async (): Promise<unknown> => {
      const { server } = await stage.askInTurn('{ server(id: "shaky") { circuitBreaker { state openedAt } } }');
      const { state, openedAt: at } = (server as { circuitBreaker: Record<string, unknown> }).circuitBreaker; // as selected
      return state === 'OPEN' ? at : null;
    };
    const probes = (): number => stage.health('shaky').filter((change) => change === 'OPEN>HALF_OPEN').length;
    /** Returns the number of calls that were not probes, counted while no call can be in flight or unread by the server. */
    const failures = async (): Promise<number> => {
      for (;;) {
        const before = await openedAt();
        const asked = ((await shaky.order(silence)).get(LIST) ?? 0) - callsBefore;
        const isSettled = before !== null && before === (await openedAt());
        if (isSettled && asked - probes() >= breaker.failures) return asked - probes();
      }
    };
    await stage.healthWas('shaky', 'DEGRADED>OFFLINE');
    expect(await failures()).toBe(breaker.failures);

    // Subscribers keep the last known values, marked as stale.
    await stage.isStale('shaky');
    const last = stage.agentsOf('shaky');
    expect(last.length).toBeGreaterThan(0);
    expect(last.every(({ stale }) => stale === true)).toBe(true);
    const { server } = await stage.ask('{ server(id: "shaky") { stale circuitBreaker { state openedAt } } }');
    expect(server).toEqual({
      stale: true,
      circuitBreaker: { state: expect.stringMatching(/^(OPEN|HALF_OPEN)$/), openedAt: expect.any(String) },
    });
    await stage.goesOn();

    // A failed probe opens the breaker again, and further calls are rejected until the next probe.
    await stage.healthWas('shaky', 'HALF_OPEN>OPEN');
    expect(await failures()).toBe(breaker.failures);
    expect(probes()).toBeGreaterThan(0);

    // Calls that arrive during a probe wait for its result.
    const before = (await shaky.order({ do: 'damage', damage: { kind: 'late', tool: LIST } })).get(LIST) ?? 0;
    await shaky.called(LIST, 1, before);
    const waiting = [request(stage.app, CALL), request(stage.app, CALL)];
    await stage.askInTurn('{ __typename }');
    expect(stage.health('shaky').at(-1)).toBe('OPEN>HALF_OPEN');
    const calls = await shaky.order({ do: 'damage', damage: null });
    expect(calls.get(LIST)).toBe(before + 1);
    await shaky.order({ do: 'release' });
    for (const { errors } of await Promise.all(waiting)) expect(errors).toBeUndefined();

    await stage.healthIs('shaky', 'OFFLINE>ONLINE');
    await stage.noticed('shaky', 'SERVER_ONLINE');
    await expectWhole(stage, [shaky]);
    expect(shaky.incarnations).toBe(1);
    expect(stage.healthWithoutFailedProbes('shaky')).toEqual(THERE_AND_BACK);
    expect(stage.notices('shaky')).toEqual(['SERVER_DEGRADED', 'SERVER_OFFLINE', 'SERVER_ONLINE']);
  });

  test('closes again without a restart when a stopped process continues', async () => {
    await using control = await Control.open();
    const shaky = control.expect('shaky', { type: 'daa' });
    const breaker = { failures: 2, initialMs: 500, maxMs: 1_000 };
    await using stage = await Stage.open([overStdio(shaky, { timeoutMs: TIMEOUT_MS, breaker })]);
    shaky.kill('SIGSTOP');
    await stage.healthWas('shaky', 'DEGRADED>OFFLINE');
    await stage.isStale('shaky');
    await stage.goesOn();
    shaky.kill('SIGCONT');
    await stage.healthIs('shaky', 'OFFLINE>ONLINE');
    await stage.noticed('shaky', 'SERVER_ONLINE');
    await expectWhole(stage, [shaky]);
    expect(shaky.incarnations).toBe(1);
    expect(stage.healthWithoutFailedProbes('shaky')).toEqual(THERE_AND_BACK);
    expect(stage.notices('shaky')).toEqual(['SERVER_DEGRADED', 'SERVER_OFFLINE', 'SERVER_ONLINE']);
  });
});

describe.concurrent('clock skew', () => {
  test('of a server by 40 years affects neither lastSeenAt nor staleness', async () => {
    await using control = await Control.open();
    const behind = control.expect('behind', { type: 'daa', clockOffsetMs: -FORTY_YEARS_MS });
    const ahead = control.expect('ahead', { type: 'daa', clockOffsetMs: FORTY_YEARS_MS });
    await using stage = await Stage.open([overStdio(behind), overStdio(ahead)]);
    await stage.goesOn('behind');
    await stage.goesOn('ahead');
    const { agents } = await stage.ask('{ agents(serverTypes: [DAA]) { serverId createdAt lastSeenAt } }');
    const listed = agents as { serverId: string; createdAt: string; lastSeenAt: string }[]; // as selected
    expect(new Set(listed.map(({ serverId }) => serverId))).toEqual(new Set(['behind', 'ahead']));
    const nowMs = Date.now();
    for (const { serverId, createdAt, lastSeenAt } of listed) {
      const offsetMs = serverId === 'behind' ? -FORTY_YEARS_MS : FORTY_YEARS_MS;
      expect(yearsBetween(Date.parse(createdAt), nowMs + offsetMs)).toBe(0);
      expect(yearsBetween(Date.parse(lastSeenAt), nowMs)).toBe(0);
    }
    await expectWhole(stage, [behind, ahead]);
    expect([...stage.health('behind'), ...stage.health('ahead')]).toEqual([]);
    expect(stage.stream.data.flatMap(({ agentUpdates }) => agentUpdates.staleServerIds)).toEqual([]);
  });

  test('of swarmlens by jumps of 40 years interrupts no updates', async () => {
    await using control = await Control.open();
    const shaky = control.expect('shaky', { type: 'daa' });
    const clock = { ...systemClock, offsetMs: 0, now: () => Date.now() + clock.offsetMs };
    await using stage = await Stage.open([overStdio(shaky)], { clock });
    for (const offsetMs of [-FORTY_YEARS_MS, FORTY_YEARS_MS]) {
      clock.offsetMs = offsetMs;
      await stage.goesOn('shaky');
      await stage.goesOn();
    }
    const last = stage.stream.data.at(-1)?.agentUpdates.timestamp ?? '';
    expect(yearsBetween(Date.parse(last), Date.now() + FORTY_YEARS_MS)).toBe(0);
    await expectWhole(stage, [shaky]);
    expect(stage.health('shaky')).toEqual([]);
  });

  test('of swarmlens by 40 years does not prolong the pause of an open circuit breaker', async () => {
    await using control = await Control.open();
    const shaky = control.expect('shaky', { type: 'daa' });
    const clock = { ...systemClock, offsetMs: 0, now: () => Date.now() + clock.offsetMs };
    const breaker = { failures: 2, initialMs: 1_000, maxMs: 1_000 };
    await using stage = await Stage.open([overStdio(shaky, { timeoutMs: TIMEOUT_MS, breaker })], { clock });
    await shaky.order({ do: 'damage', damage: { kind: 'silent' } });
    await stage.healthWas('shaky', 'DEGRADED>OFFLINE');
    clock.offsetMs = -FORTY_YEARS_MS;
    // The breaker rejects this poll and schedules the next one for the end of its pause.
    await stage.ask('mutation { requestAgentUpdate { unansweredServerIds } }');
    await shaky.order({ do: 'damage', damage: null });
    await stage.healthIs('shaky', 'OFFLINE>ONLINE');
    await stage.goesOn('shaky');
    await expectWhole(stage, [shaky]);
  });
});

// The faults vary with the timing of the machine, the required final state does not.
test.concurrent(
  'for any sequence of six kinds of faults on three servers: every subscriber ends with the state of the servers',
  async () => {
    const { problems, resumes, cuts } = await runRandomFaults({
      seconds: 0,
      seed: 3,
      minKinds: 6,
      minResumes: 1,
      timeoutMs: TIMEOUT_MS,
    });
    console.log(`${resumes} resumes, ${cuts} of them after lost connections`);
    expect(problems.join('\n')).toBe('');
  },
);

function yearsBetween(aMs: number, bMs: number): number {
  return Math.trunc(Math.abs(aMs - bMs) / (365 * 24 * 3_600_000));
}
