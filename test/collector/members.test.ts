import { describe, expect, test } from 'vitest';
import { MemoryBus } from '../../src/bus/index.js';
import { Collector, Demand } from '../../src/collector/index.js';
import { systemClock } from '../../src/shared/index.js';
import { Store } from '../../src/state/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { simulated, tcp } from '../discovery/places.js';
import { serverConfig } from '../support/app.js';

function rig() {
  const bus = new MemoryBus();
  const store = new Store({ epoch: 'test', maxTombstones: 1_000, maxEvents: 100 });
  const listener = bus.subscribe((change) => store.commit(change));
  const demand = new Demand();
  const collector = new Collector([], {
    store,
    bus,
    demand,
    clock: systemClock,
    logger: silentLogger,
    random: Math.random,
    heartbeatMs: 60_000,
  });
  return {
    store,
    collector,
    async [Symbol.asyncDispose]() {
      await collector[Symbol.asyncDispose]();
      listener[Symbol.dispose]();
    },
  };
}

function http(id: string, port: number) {
  return serverConfig(id, [], { endpoint: { type: 'http', url: `http://127.0.0.1:${port}/mcp`, headers: {} } });
}

describe('a collector', () => {
  test('takes a server in and lets it go with all that it had, again and again', async () => {
    await using server = await simulated('daa', 'http');
    await using made = rig();
    const { collector, store } = made;
    for (let round = 0; round < 3; round += 1) {
      collector.add(http('a', server.port));
      await collector.ready();
      expect(store.countAgents('a')).toBe(2);
      expect(collector.health('a')?.calls).toBeGreaterThan(0);
      await collector.remove('a');
      expect([store.agents.size, store.servers.size, store.swarms.size]).toEqual([0, 0, 0]);
      expect(collector.health('a')).toBeNull();
    }
    await expect(collector.pollNow(['a'])).rejects.toThrow('there is no server "a"');
  });

  test('lets a server go that has never answered, and one that it does not have', async () => {
    await using mute = await tcp(() => undefined);
    await using made = rig();
    made.collector.add(http('mute', mute.port));
    await made.collector.remove('mute');
    await made.collector.remove('nobody');
    expect(made.store.servers.size).toBe(0);
  });

  test('has one server of a name, and keeps its connection when only its tools and its rate change', async () => {
    await using server = await simulated('daa', 'http');
    await using made = rig();
    const { collector, store } = made;
    const settings = http('a', server.port);
    collector.add(settings);
    await collector.ready();
    expect(() => collector.add(settings)).toThrow('server "a" is there already');
    const connectedAt = store.servers.get('a')?.connectedAt;
    const call = (): Promise<unknown> => collector.callTool('a', 'healthcheck', {}, new AbortController().signal);
    await expect(call()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    collector.adjust({ ...settings, allowTools: ['healthcheck'] });
    expect(await call()).toMatchObject({ isError: false });
    expect(store.servers.get('a')?.connectedAt).toBe(connectedAt);
  });
});
