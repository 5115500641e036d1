import { describe, expect, test } from 'vitest';
import type { App } from '../../src/app/create-app.js';
import { TAP_CALL_METHOD, TAP_CLOSE_ENDED } from '../../src/shared/index.js';
import { request, startApp } from '../support/app.js';
import { TapSocket, type TapSocketOptions } from '../support/tap-socket.js';
import { waitUntil } from '../support/wait.js';

/** Heartbeat that is longer than any test, so that no poll brings an update. */
const LAZY = { heartbeatMs: 600_000 };

const text = (value: unknown): object => ({ content: [{ type: 'text', text: JSON.stringify(value) }] });
const AGENTS = text({ agents: [{ id: 'a1', name: 'ada', type: 'coder', status: 'idle', capabilities: [] }] });
const SWARMS = text({ swarms: [{ id: 's1', status: { agents: { total: 1 } } }] });

/** Tap of a ruv-swarm session. Rejects all tools except `agent_list`. */
class TappedSwarm implements Disposable {
  readonly tap: TapSocket;

  constructor(app: App, options: TapSocketOptions = {}, beforeTools: () => void = () => undefined) {
    this.tap = new TapSocket(app, options);
    this.tap.onReceived = (received) => {
      const { id, method, params } = JSON.parse(received) as {
        id?: string;
        method?: string;
        params?: { name?: string };
      }; // of swarmlens
      if (id === undefined) return;
      const answer = (body: object): void => this.tap.send(JSON.stringify({ jsonrpc: '2.0', id, ...body }));
      if (method === 'initialize') {
        const serverInfo = { name: 'ruv-swarm', version: '1' };
        answer({ result: { protocolVersion: '2024-11-05', capabilities: { tools: {} }, serverInfo } });
      } else if (method === 'tools/list') {
        beforeTools();
        const names = ['agent_list', 'swarm_status', 'swarm_init', 'agent_spawn'];
        answer({ result: { tools: names.map((name) => ({ name, inputSchema: { type: 'object' } })) } });
      } else if (params?.name === 'agent_list') answer({ result: AGENTS });
      else answer({ error: { code: -32_000, message: 'not now' } });
    };
  }

  /** Sends a completed call of the observed client. */
  observe(tool: string, args: object, result: object): void {
    const params = { tool, arguments: args, result };
    this.tap.send(JSON.stringify({ jsonrpc: '2.0', method: TAP_CALL_METHOD, params }));
  }

  async end(): Promise<void> {
    this.tap.socket.close(TAP_CLOSE_ENDED.code, TAP_CLOSE_ENDED.reason);
    await this.tap.closed;
  }

  [Symbol.dispose](): void {
    this.tap[Symbol.dispose]();
  }
}

async function untilStatusIs(app: App, id: string, status: string): Promise<void> {
  let seen: unknown;
  await waitUntil(
    async () => {
      seen = (await request(app, '{ servers { id status } }')).data?.['servers'];
      return (seen as { id: string; status: string }[]).some((server) => server.id === id && server.status === status); // as selected
    },
    { state: () => seen },
  );
}

async function notices(app: App): Promise<unknown> {
  return (await request(app, '{ notices(last: 100) { code severity serverId } }')).data?.['notices'];
}

describe('tapped session', () => {
  test('ends without an error', async () => {
    await using app = await startApp([], LAZY);
    using swarm = new TappedSwarm(app);
    await untilStatusIs(app, 'mine', 'DEGRADED');
    await swarm.end();
    await untilStatusIs(app, 'mine', 'OFFLINE');
    // An attempt to reconnect is no failure either.
    await request(app, 'mutation { refreshDiscovery { timestamp } }');
    const { data } = await request(app, '{ health { status } servers { lastError stale } }');
    expect(data).toEqual({
      health: { status: 'HEALTHY' },
      servers: [{ lastError: 'the observed session has ended', stale: true }],
    });
    expect(await notices(app)).toEqual(
      expect.arrayContaining([{ code: 'SESSION_ENDED', severity: 'INFO', serverId: 'mine' }]),
    );
    expect(JSON.stringify(await notices(app))).not.toMatch(/SERVER_OFFLINE|RESTART_FAILED/);
  });

  test('is UNHEALTHY and not retried in vain when the tap is lost', async () => {
    await using app = await startApp([], LAZY);
    using swarm = new TappedSwarm(app);
    await untilStatusIs(app, 'mine', 'DEGRADED');
    swarm.tap.socket.terminate();
    await untilStatusIs(app, 'mine', 'OFFLINE');
    const { data } = await request(app, '{ health { status } servers { replicas { connectionFailures } } }');
    expect(data).toMatchObject({ health: { status: 'UNHEALTHY' } });
    using again = new TappedSwarm(app);
    await again.tap.accepted();
    await untilStatusIs(app, 'mine', 'DEGRADED');
  });

  test('keeps calls that are observed before the first poll', async () => {
    await using app = await startApp([], LAZY);
    using swarm = new TappedSwarm(app, {}, () => swarm.observe('swarm_status', {}, SWARMS));
    await untilStatusIs(app, 'mine', 'DEGRADED');
    let seen: unknown;
    await waitUntil(
      async () => {
        seen = (await request(app, '{ swarms { id } }')).data;
        return JSON.stringify(seen).includes('mine:s1');
      },
      { state: () => seen },
    );
  });

  test('replaces an earlier session of the same client, and none of another client', async () => {
    await using app = await startApp([], LAZY);
    using first = new TappedSwarm(app, { join: { instance: '1', client: 'window 1' } });
    await untilStatusIs(app, 'mine', 'DEGRADED');
    using other = new TappedSwarm(app, { join: { instance: '2', client: 'window 2' } });
    await untilStatusIs(app, 'mine-2', 'DEGRADED');
    // The client starts the server again while the old one still runs.
    using second = new TappedSwarm(app, { join: { instance: '3', client: 'window 1' } });
    await second.tap.accepted();
    expect(await first.tap.closed).toMatchObject({ code: 4410 });
    await untilStatusIs(app, 'mine', 'DEGRADED');
    // The old tap does not take the server back.
    using returning = new TappedSwarm(app, { join: { instance: '1', client: 'window 1' } });
    expect(await returning.tap.closed).toMatchObject({ code: 4410 });
    const { data } = await request(app, '{ servers { id } }');
    expect(data).toEqual({ servers: [{ id: 'mine' }, { id: 'mine-2' }] });
    expect(other.tap.socket.readyState).toBe(1);
  });
});
