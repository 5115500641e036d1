import { describe, expect, test } from 'vitest';
import { GUARD_DEFAULTS } from '../../src/guard/index.js';
import { request } from '../support/app.js';
import { Control } from './control.js';
import { expectWhole } from './ending.js';
import { overStdio } from './endpoints.js';
import { SLOW, Stage } from './stage.js';

const LIST = 'list_agents';
const CALL = `mutation { callTool(serverId: "shaky", tool: "${LIST}") { isError } }`;

describe('the breaker of a server that does not answer', SLOW, () => {
  test('opens after the configured failures, asks nothing while it is open, lets one probe through, closes', async () => {
    await using control = await Control.open();
    const shaky = control.expect('shaky', { type: 'daa' });
    await using stage = await Stage.open([overStdio(shaky, { timeoutMs: 700 })]);

    // The call that is under way is still answered; from the next one on none is.
    const calls = await shaky.order({ do: 'damage', damage: { kind: 'silent', tool: LIST } });
    const answered = calls.get(LIST) ?? 0;
    await stage.healthIs('shaky', 'DEGRADED>OFFLINE');
    expect(shaky.calls(LIST) - answered).toBe(GUARD_DEFAULTS.breakerThreshold);

    // Cached data flows on, marked stale, and who calls a tool is told at once.
    await stage.isStale('shaky');
    const last = stage.agentsOf('shaky');
    expect(last.length).toBeGreaterThan(0);
    expect(last.every(({ stale }) => stale === true)).toBe(true);
    const refused = await request(stage.app, CALL);
    expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'SERVER_UNAVAILABLE', serverId: 'shaky' });
    const { server } = await stage.ask('{ server(id: "shaky") { stale circuitBreaker { state openedAt } } }');
    expect(server).toEqual({
      stale: true,
      circuitBreaker: { state: expect.stringMatching(/^(OPEN|HALF_OPEN)$/), openedAt: expect.any(String) },
    });
    await stage.goesOn();

    // A probe that fails opens it again; no second one comes before the pause is over.
    await stage.healthIs('shaky', 'HALF_OPEN>OPEN');
    expect(shaky.calls(LIST) - answered).toBe(GUARD_DEFAULTS.breakerThreshold + 1);

    // The next probe is kept waiting for its answer: whoever calls meanwhile waits with it.
    await shaky.order({ do: 'damage', damage: { kind: 'late', tool: LIST } });
    await shaky.called(LIST);
    await stage.healthIs('shaky', 'OPEN>HALF_OPEN');
    const waiting = [request(stage.app, CALL), request(stage.app, CALL)];
    await shaky.order({ do: 'damage', damage: null });
    expect(shaky.calls(LIST) - answered).toBe(GUARD_DEFAULTS.breakerThreshold + 2);
    await shaky.order({ do: 'release' });
    for (const { errors } of await Promise.all(waiting)) expect(errors).toBeUndefined();

    await stage.healthIs('shaky', 'OFFLINE>ONLINE');
    await stage.noticed('shaky', 'SERVER_ONLINE');
    await expectWhole(stage, [shaky]);
    expect(shaky.incarnations).toBe(1);
    expect(stage.health('shaky')).toEqual([
      'ONLINE>DEGRADED',
      'CLOSED>OPEN',
      'DEGRADED>OFFLINE',
      'OPEN>HALF_OPEN',
      'HALF_OPEN>OPEN',
      'OPEN>HALF_OPEN',
      'HALF_OPEN>CLOSED',
      'OFFLINE>ONLINE',
    ]);
    expect(stage.notices('shaky')).toEqual(['SERVER_DEGRADED', 'SERVER_OFFLINE', 'SERVER_ONLINE']);
  });
});
