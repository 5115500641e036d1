import { setMaxListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ToolRejectedError } from '../../../src/mcp/index.js';
import { type ToolCaller, UNRESTRICTED } from '../../../src/model/index.js';
import { createView } from '../../../src/state/index.js';
import { FreshnessWatch } from '../../../src/upstream/health/freshness-watch.js';
import { ManualClock, settled } from '../../support/manual-clock.js';
import { Held, holdTime } from '../guard/support.js';
import type { Answer, ScriptedServer } from '../pool/scripted.js';
import { ScriptedSwarm } from './scripted-swarm.js';

const { signal: NEVER } = new AbortController();
setMaxListeners(0, NEVER);

/** Scripted server of two agents whose tool `slow` answers only when the test ends a call. */
class SlowToolSwarm extends ScriptedSwarm {
  readonly server: ScriptedServer;
  readonly #slow: Held<undefined>[] = [];

  constructor(settings: ConstructorParameters<typeof ScriptedSwarm>[1] = {}) {
    super([() => ['a', 'b']], { allowTools: ['slow'], timeoutMs: 60_000, ...settings });
    const [server] = this.servers;
    if (server === undefined) throw new Error('no server');
    this.server = server;
    const list = server.onCall;
    server.onCall = async (signal, tool) => {
      if (tool !== 'slow') return list(signal);
      const held = new Held<undefined>();
      this.#slow.push(held);
      await held.promise;
      return { isError: false, value: 'done' };
    };
  }

  get polls(): number {
    return this.server.requests.filter((name) => name !== 'slow').length;
  }

  get state(): { readonly status: string; readonly stale: boolean; readonly lastError: string | null } | undefined {
    const server = this.store.servers.get('s');
    return server && { status: server.status, stale: server.stale, lastError: server.lastError };
  }

  /** Calls `slow` for a client. Resolves with the result or the error. */
  call(clientId: string): Promise<unknown> {
    const caller: ToolCaller = { clientId, permissions: ['tools:call'], restriction: UNRESTRICTED };
    return this.registry.callTool('s', 'slow', {}, NEVER, caller).catch((error: unknown) => error);
  }

  /** Ends the oldest running call of `slow`. */
  endCall(): void {
    this.#slow.shift()?.resolve(undefined);
  }
}

const FRESH = { status: 'ONLINE', stale: false, lastError: null };

async function pass(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await settled();
}

beforeEach(holdTime);
afterEach(() => vi.useRealTimers());

describe('UpstreamRegistry with a client that floods a server', () => {
  test('polls on and answers other clients when 450 calls of one client do not end', async () => {
    await using swarm = new SlowToolSwarm();
    await pass(500);
    const calls = Array.from({ length: 450 }, () => swarm.call('abuser'));
    await pass(1_000);
    const pollsBefore = swarm.polls;
    await pass(10_000);
    expect(swarm.polls - pollsBefore).toBeGreaterThanOrEqual(9);
    expect(swarm.state).toEqual(FRESH);
    expect(await calls[449]).toMatchObject({ code: 'RATE_LIMITED', details: { serverId: 's', retryAfterMs: 100 } });
    const other = swarm.call('other');
    await pass();
    for (let running = 0; running < 3; running += 1) swarm.endCall();
    await pass(1_000);
    expect(await other).toMatchObject({ isError: false, content: 'done' });
  });

  test('alternates with polls when the server accepts one call at a time', async () => {
    await using swarm = new SlowToolSwarm({ serverType: 'CLAUDE_FLOW' });
    swarm.server.tools = ['agent_list'];
    const { onCall } = swarm.server;
    swarm.server.onCall = (signal, tool) =>
      tool === 'slow' ? onCall(signal, tool) : Promise.resolve({ isError: false, value: { agents: [] } });
    await pass(500);
    const calls = Array.from({ length: 450 }, (_, call) => swarm.call(`client ${call % 10}`));
    expect(await calls[449]).toMatchObject({ code: 'RATE_LIMITED' });
    const pollsBefore = swarm.polls;
    for (let ended = 0; ended < 10; ended += 1) {
      await pass(1_000);
      swarm.endCall();
    }
    await pass(100);
    expect(swarm.polls - pollsBefore).toBeGreaterThanOrEqual(9);
    expect(swarm.state).toEqual(FRESH);
  });
});

describe('UpstreamRegistry with a server whose polls are late', () => {
  test('marks the data as stale when a call of a client occupies the only slot, until a poll is answered', async () => {
    await using swarm = new SlowToolSwarm({ serverType: 'CLAUDE_FLOW' });
    swarm.server.tools = ['agent_list'];
    const { onCall } = swarm.server;
    swarm.server.onCall = (signal, tool) =>
      tool === 'slow' ? onCall(signal, tool) : Promise.resolve({ isError: false, value: { agents: [] } });
    await pass(500);
    const called = swarm.call('client');
    await pass(5_400);
    expect(swarm.state).toEqual(FRESH);
    await pass(1_200);
    expect(swarm.state).toEqual({
      status: 'DEGRADED',
      stale: true,
      lastError: expect.stringMatching(/^no answered poll for 6\.\d s: a poll is running, 1 calls are queued$/),
    });
    swarm.endCall();
    await pass(1_000);
    expect(swarm.state).toEqual(FRESH);
    expect(await called).toMatchObject({ content: 'done' });
  });

  test('marks the data as stale when an answer takes longer than three intervals, until it arrives', async () => {
    await using swarm = new SlowToolSwarm();
    await pass(500);
    const { onCall } = swarm.server;
    const held = new Held<undefined>();
    swarm.server.onCall = (signal, tool) => held.promise.then(() => onCall(signal, tool));
    await pass(8_000);
    expect(swarm.state).toMatchObject({ status: 'DEGRADED', stale: true });
    expect(swarm.seen).toEqual({ ids: ['a', 'b'], stale: true });
    held.resolve(undefined);
    await pass(100);
    expect(swarm.state).toEqual(FRESH);
    expect(swarm.seen).toEqual({ ids: ['a', 'b'], stale: false });
  });

  test('keeps the data of a server fresh whose answers always take long', async () => {
    await using swarm = new SlowToolSwarm();
    await pass(500);
    const { onCall } = swarm.server;
    const delayed: Answer = async (signal, tool) => {
      await new Promise((resolve) => setTimeout(resolve, 5_500));
      return onCall(signal, tool);
    };
    swarm.server.onCall = delayed;
    for (let second = 0; second < 60; second += 1) {
      await pass(1_000);
      expect(swarm.state).toEqual(FRESH);
    }
  });

  test('marks the data as stale when the server requests a pause of a minute', async () => {
    await using swarm = new SlowToolSwarm();
    await pass(500);
    const { onCall } = swarm.server;
    swarm.server.onCall = () => Promise.reject(new ToolRejectedError('too many requests', -32_000, 60_000));
    await pass(1_000);
    swarm.server.onCall = onCall;
    expect(swarm.state).toEqual(FRESH);
    await pass(6_000);
    expect(swarm.state).toMatchObject({ stale: true });
    expect(swarm.state?.lastError).toContain('the server requested a pause');
    await pass(60_000);
    expect(swarm.state).toEqual(FRESH);
  });

  test('does not count the time before a new subscription requires a higher rate', async () => {
    await using swarm = new SlowToolSwarm();
    await pass(500);
    const { onCall } = swarm.server;
    const held = new Held<undefined>();
    await using slow = new ScriptedSwarm([() => ['a']], { timeoutMs: 60_000 }, { heartbeatMs: 60_000 });
    await pass(50_000);
    const [server] = slow.servers;
    if (server === undefined) throw new Error('no server');
    server.onCall = (signal, tool) => held.promise.then(() => onCall(signal, tool));
    using _demand = slow.demand.add(createView(), 60);
    await pass(5_900);
    expect(slow.store.servers.get('s')?.stale).toBe(false);
    await pass(200);
    expect(slow.store.servers.get('s')?.stale).toBe(true);
  });
});

describe('FreshnessWatch', () => {
  function watch(intervalMs: number) {
    const clock = new ManualClock();
    const ages: number[] = [];
    const freshness = new FreshnessWatch(clock, { intervalMs: () => intervalMs, onStale: (ageMs) => ages.push(ageMs) });
    return { clock, ages, freshness };
  }

  test('reports stale data once, after three intervals', async () => {
    const { clock, ages, freshness } = watch(4_000);
    await clock.pass(60_000);
    expect(ages).toEqual([]);
    freshness.refresh();
    await clock.pass(11_999);
    expect(ages).toEqual([]);
    await clock.pass(1);
    expect(ages).toEqual([12_000]);
    await clock.pass(60_000);
    expect(ages).toHaveLength(1);
    freshness.refresh();
    await clock.pass(12_000);
    expect(ages).toHaveLength(2);
  });

  test('waits at least six seconds, whatever the interval', async () => {
    const { clock, ages, freshness } = watch(16);
    freshness.refresh();
    await clock.pass(5_999);
    expect(ages).toEqual([]);
    await clock.pass(1);
    expect(ages).toEqual([6_000]);
  });

  test('gives polls time after a stall of this process', async () => {
    const { clock, ages, freshness } = watch(1_000);
    freshness.refresh();
    clock.stall(60_000);
    await settled();
    expect(ages).toEqual([]);
    freshness.refresh();
    await clock.pass(5_999);
    expect(ages).toEqual([]);
  });

  test('leaves no timer after its disposal', () => {
    const { clock, freshness } = watch(1_000);
    freshness.refresh();
    freshness[Symbol.dispose]();
    expect(clock.pending).toBe(0);
  });
});
