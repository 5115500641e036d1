import { describe, expect, test } from 'vitest';
import { MemoryBus } from '../../../src/cluster/index.js';
import { UpstreamRegistry } from '../../../src/upstream/index.js';
import { UNRESTRICTED } from '../../../src/model/index.js';
import { Demand, Store } from '../../../src/state/index.js';
import { systemClock } from '../../../src/shared/index.js';
import { silentLogger } from '../../../src/telemetry/index.js';
import { simulated, tcp } from '../discovery/listeners.js';
import { serverConfig } from '../../support/app.js';

function createRegistry() {
  const bus = new MemoryBus();
  const store = new Store({ epoch: 'test', maxTombstones: 1_000, maxEvents: 100 });
  const listener = bus.subscribe((change) => store.commit(change));
  const demand = new Demand();
  const registry = new UpstreamRegistry([], {
    store,
    bus,
    demand,
    clock: systemClock,
    logger: silentLogger,
    random: Math.random,
    heartbeatMs: 60_000,
    removeAfterMs: null,
    maxAgentsPerServer: 10_000,
  });
  return {
    store,
    registry,
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      listener[Symbol.dispose]();
    },
  };
}

function http(id: string, port: number) {
  return serverConfig(id, [], { endpoint: { type: 'http', url: `http://127.0.0.1:${port}/mcp`, headers: {} } });
}

describe('UpstreamRegistry', () => {
  test('adds a server and removes it with all of its agents, repeatedly', async () => {
    await using server = await simulated('daa', 'http');
    await using setup = createRegistry();
    const { registry, store } = setup;
    for (let round = 0; round < 3; round += 1) {
      registry.add(http('a', server.port));
      await registry.ready();
      expect(store.countAgents('a')).toBe(2);
      expect(registry.health('a')?.calls).toBeGreaterThan(0);
      await registry.remove('a');
      expect([store.agents.size, store.servers.size, store.swarms.size]).toEqual([0, 0, 0]);
      expect(registry.health('a')).toBeNull();
    }
    await expect(registry.pollNow(['a'])).rejects.toThrow('Unknown server "a"');
  });

  test('removes a server that has never answered, and ignores an unknown one', async () => {
    await using mute = await tcp(() => undefined);
    await using setup = createRegistry();
    setup.registry.add(http('mute', mute.port));
    await setup.registry.remove('mute');
    await setup.registry.remove('unknown');
    expect(setup.store.servers.size).toBe(0);
  });

  test('rejects a second server of the same id, and keeps the connection when only the allowed tools change', async () => {
    await using server = await simulated('daa', 'http');
    await using setup = createRegistry();
    const { registry, store } = setup;
    const settings = http('a', server.port);
    registry.add(settings);
    await registry.ready();
    expect(() => registry.add(settings)).toThrow('Server "a" already exists.');
    const connectedAt = store.servers.get('a')?.connectedAt;
    const call = (): Promise<unknown> =>
      registry.callTool('a', 'healthcheck', {}, new AbortController().signal, {
        clientId: 'client',
        permissions: ['tools:call'],
        restriction: UNRESTRICTED,
      });
    await expect(call()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    registry.reconfigure({ ...settings, allowTools: ['healthcheck'] });
    expect(await call()).toMatchObject({ isError: false });
    expect(store.servers.get('a')?.connectedAt).toBe(connectedAt);
  });
});
