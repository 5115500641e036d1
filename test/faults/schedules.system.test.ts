import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/shared/index.js';
import { request } from '../support/app.js';
import { Control } from './control.js';
import { expectWhole } from './ending.js';
import { overStdio } from './endpoints.js';
import { runRandomFaults } from './random/run.js';
import { Stage } from './stage.js';

// What mostly waits is in one file, so that it waits together.

const THERE_AND_BACK = [
  'ONLINE>DEGRADED',
  'CLOSED>OPEN',
  'DEGRADED>OFFLINE',
  'OPEN>HALF_OPEN',
  'HALF_OPEN>CLOSED',
  'OFFLINE>ONLINE',
];
/** Short enough to wait for it, and above the time of any answer on a slow machine. */
const TIMEOUT_MS = 5_000;
const LIST = 'list_agents';
const CALL = `mutation { callTool(serverId: "shaky", tool: "${LIST}") { isError } }`;
const FORTY_YEARS_MS = 40 * 365 * 24 * 3_600_000;

describe.concurrent('the breaker of a server that does not answer', () => {
  test('opens after the configured failures, asks nothing while it is open, lets one probe through, closes', async () => {
    await using control = await Control.open();
    const shaky = control.expect('shaky', { type: 'daa' });
    const breaker = { failures: 2, initialMs: 1_000, maxMs: 1_000 };
    await using stage = await Stage.open([overStdio(shaky, { timeoutMs: TIMEOUT_MS, breaker })]);

    // The call that is under way is still answered; from the next one on none is.
    const silence = { do: 'damage', damage: { kind: 'silent', tool: LIST } } as const;
    const answered = (await shaky.order(silence)).get(LIST) ?? 0;
    /** When it opened, if it is open; all that was told by then has arrived. */
    const openedAt = async (): Promise<unknown> => {
      const { server } = await stage.askInTurn('{ server(id: "shaky") { circuitBreaker { state openedAt } } }');
      const { state, openedAt: at } = (server as { circuitBreaker: Record<string, unknown> }).circuitBreaker; // as selected
      return state === 'OPEN' ? at : null;
    };
    const probes = (): number => stage.health('shaky').filter((change) => change === 'OPEN>HALF_OPEN').length;
    /** Calls that were no probes, counted at the server while none can be under way. */
    const failures = async (): Promise<number> => {
      for (;;) {
        const before = await openedAt();
        const asked = ((await shaky.order(silence)).get(LIST) ?? 0) - answered;
        if (before !== null && before === (await openedAt())) return asked - probes();
      }
    };
    await stage.healthWas('shaky', 'DEGRADED>OFFLINE');
    expect(await failures()).toBe(breaker.failures);

    // Cached data flows on, marked stale, and who calls a tool is told at once.
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

    // A probe that fails opens it again; no second one comes before the pause is over.
    await stage.healthWas('shaky', 'HALF_OPEN>OPEN');
    expect(await failures()).toBe(breaker.failures);
    expect(probes()).toBeGreaterThan(0);

    // The next probe is kept waiting for its answer: whoever calls meanwhile waits with it.
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
    expect(stage.healthButFailedProbes('shaky')).toEqual(THERE_AND_BACK);
    expect(stage.notices('shaky')).toEqual(['SERVER_DEGRADED', 'SERVER_OFFLINE', 'SERVER_ONLINE']);
  });

  test('of a process that is stopped with SIGSTOP and continued: stale and OFFLINE behind an open breaker, then the same process is back', async () => {
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
    expect(stage.healthButFailedProbes('shaky')).toEqual(THERE_AND_BACK);
    expect(stage.notices('shaky')).toEqual(['SERVER_DEGRADED', 'SERVER_OFFLINE', 'SERVER_ONLINE']);
  });
});

describe.concurrent('clock far off', () => {
  test("a server's own, by decades: its times are told as it has them, when it was seen in ours, and it is never stale", async () => {
    await using control = await Control.open();
    const behind = control.expect('behind', { type: 'daa', clockOffsetMs: -FORTY_YEARS_MS });
    const ahead = control.expect('ahead', { type: 'daa', clockOffsetMs: FORTY_YEARS_MS });
    await using stage = await Stage.open([overStdio(behind), overStdio(ahead)]);
    await stage.goesOn('behind');
    await stage.goesOn('ahead');
    const { agents } = await stage.ask('{ agents(serverTypes: [DAA]) { serverId createdAt lastSeenAt } }');
    const told = agents as { serverId: string; createdAt: string; lastSeenAt: string }[]; // as the schema has it
    expect(new Set(told.map(({ serverId }) => serverId))).toEqual(new Set(['behind', 'ahead']));
    const nowMs = Date.now();
    for (const { serverId, createdAt, lastSeenAt } of told) {
      const offsetMs = serverId === 'behind' ? -FORTY_YEARS_MS : FORTY_YEARS_MS;
      expect(yearsBetween(Date.parse(createdAt), nowMs + offsetMs)).toBe(0);
      expect(yearsBetween(Date.parse(lastSeenAt), nowMs)).toBe(0);
    }
    await expectWhole(stage, [behind, ahead]);
    expect([...stage.health('behind'), ...stage.health('ahead')]).toEqual([]);
    expect(stage.stream.data.flatMap(({ agentUpdates }) => agentUpdates.staleServerIds)).toEqual([]);
  });

  test('our own, which jumps back and then ahead by decades: every update goes on, nothing is noticed', async () => {
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

  test('our own, which jumps back by decades while a breaker is open: the server is back when its pause is over', async () => {
    await using control = await Control.open();
    const shaky = control.expect('shaky', { type: 'daa' });
    const clock = { ...systemClock, offsetMs: 0, now: () => Date.now() + clock.offsetMs };
    const breaker = { failures: 2, initialMs: 1_000, maxMs: 1_000 };
    await using stage = await Stage.open([overStdio(shaky, { timeoutMs: TIMEOUT_MS, breaker })], { clock });
    await shaky.order({ do: 'damage', damage: { kind: 'silent' } });
    await stage.healthWas('shaky', 'DEGRADED>OFFLINE');
    clock.offsetMs = -FORTY_YEARS_MS;
    // A poll that the breaker turns away, and that tells when it will not.
    await stage.ask('mutation { requestAgentUpdate { unansweredServerIds } }');
    await shaky.order({ do: 'damage', damage: null });
    await stage.healthIs('shaky', 'OFFLINE>ONLINE');
    await stage.goesOn('shaky');
    await expectWhole(stage, [shaky]);
  });
});

// The faults differ from run to run, with the machine's timing; the required end does not.
test.concurrent(
  'random faults of six kinds over three servers: in the end every picture is what the servers say',
  async () => {
    const { problems, resumes, cuts } = await runRandomFaults({
      seconds: 0,
      seed: 3,
      minKinds: 6,
      minResumes: 1,
      timeoutMs: TIMEOUT_MS,
    });
    console.log(`${resumes} resumes, ${cuts} of them because the connection was cut`);
    expect(problems.join('\n')).toBe('');
  },
);

function yearsBetween(aMs: number, bMs: number): number {
  return Math.trunc(Math.abs(aMs - bMs) / (365 * 24 * 3_600_000));
}
