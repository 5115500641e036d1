import { describe, expect, test } from 'vitest';
import { MemoryBus } from '../../src/cluster/index.js';
import { UpstreamRegistry } from '../../src/upstream/index.js';
import { Demand, Store } from '../../src/state/index.js';
import type { Config } from '../../src/config/index.js';
import type { Notice } from '../../src/model/index.js';
import { ConfigReloader } from '../../src/app/config-reloader.js';
import { systemClock } from '../../src/shared/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { simulated } from '../upstream/discovery/listeners.js';
import { serverConfig, testConfig } from '../support/app.js';

function createReloader(start: Config) {
  const bus = new MemoryBus();
  const store = new Store({ epoch: 'test', maxTombstones: 100, maxEvents: 100 });
  bus.subscribe((change) => store.commit(change));
  const deps = { store, bus, demand: new Demand(), clock: systemClock, logger: silentLogger, random: Math.random };
  const upstreams = new UpstreamRegistry(start.servers, {
    ...deps,
    heartbeatMs: 60_000,
    removeAfterMs: null,
    maxAgentsPerServer: 10_000,
  });
  const reloader = new ConfigReloader(start, { ...deps, upstreams });
  const notices = (): string[] =>
    store.events
      .since(0)
      .events.filter((event): event is Notice => event.type === 'notice' && event.serverId === null)
      .map(({ code, message }) => `${code} ${message}`);
  return { reloader, upstreams, notices, [Symbol.asyncDispose]: () => upstreams[Symbol.asyncDispose]() };
}

describe('ConfigReloader', () => {
  test('warns about a server whose id is taken, adds the others, and retries with the next configuration', async () => {
    await using server = await simulated('daa', 'http');
    const url = `http://127.0.0.1:${server.port}/mcp`;
    const [a, b] = ['a', 'b'].map((id) => serverConfig(id, [], { endpoint: { type: 'http', url, headers: {} } }));
    if (a === undefined || b === undefined) throw new Error('there are two');
    await using setup = createReloader(testConfig([]));
    setup.upstreams.add(a);
    await setup.reloader.apply(testConfig([a, b]));
    expect(setup.notices()).toEqual([
      'CONFIG_APPLIED Applied the changed configuration: added b',
      'CONFIG_WARNING Server a cannot be added: Server "a" already exists.',
    ]);
    await setup.upstreams.remove('a');
    await setup.reloader.apply(testConfig([a, b]));
    expect(setup.notices().at(-1)).toBe('CONFIG_APPLIED Applied the changed configuration: added a');
    expect(setup.reloader.servers.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  test('publishes one notice for an entry that cannot be used, at the start and after a change', async () => {
    const reason = 'mcpServers.a.type: is "pigeon"';
    const unusable = serverConfig('a', [], { endpoint: { type: 'unusable', transport: 'http', reason } });
    const warning = `mcpServers.a: is skipped – ${reason}`;
    const config = testConfig([unusable], { warnings: [warning] });
    await using start = createReloader(config);
    await start.reloader.publishStartupWarnings();
    await start.reloader.apply(config);
    expect(start.notices()).toEqual([`CONFIG_WARNING ${warning}`]);
    await using changed = createReloader(testConfig([]));
    await changed.reloader.apply(config);
    await changed.reloader.apply(config);
    expect(changed.notices()).toEqual([
      'CONFIG_APPLIED Applied the changed configuration: added a',
      `CONFIG_WARNING ${warning}`,
    ]);
  });

  test('publishes a notice when a rejected file is valid again, and none when nothing changed', async () => {
    await using setup = createReloader(testConfig([]));
    await setup.reloader.apply(testConfig([]));
    expect(setup.notices()).toEqual([]);
    await setup.reloader.reject(['x: is wrong', 'y: is wrong']);
    await setup.reloader.apply(testConfig([]));
    await setup.reloader.apply(testConfig([]));
    expect(setup.notices()).toEqual([
      'CONFIG_INVALID The changed configuration is invalid and was not applied: x: is wrong; y: is wrong',
      'CONFIG_APPLIED Applied the changed configuration: no server changed',
    ]);
  });

  test('warns once about changed options that need a restart', async () => {
    await using setup = createReloader(testConfig([]));
    const changed = testConfig([], { tombstones: 7, heartbeatMs: 8 });
    await setup.reloader.apply(changed);
    await setup.reloader.apply(changed);
    expect(setup.notices()).toEqual([
      'CONFIG_WARNING heartbeatMs, tombstones: changed in the file; restart swarmlens to apply the change',
    ]);
  });
});
