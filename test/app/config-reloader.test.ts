import { expect, test } from 'vitest';
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

function rig(start: Config) {
  const bus = new MemoryBus();
  const store = new Store({ epoch: 'test', maxTombstones: 100, maxEvents: 100 });
  bus.subscribe((change) => store.commit(change));
  const deps = { store, bus, demand: new Demand(), clock: systemClock, logger: silentLogger, random: Math.random };
  const collector = new UpstreamRegistry(start.servers, { ...deps, heartbeatMs: 60_000, removeAfterMs: null });
  const live = new ConfigReloader(start, { ...deps, collector });
  const told = (): string[] =>
    store.events
      .since(0)
      .events.filter((event): event is Notice => event.type === 'notice' && event.serverId === null)
      .map(({ code, message }) => `${code} ${message}`);
  return { live, collector, told, [Symbol.asyncDispose]: () => collector[Symbol.asyncDispose]() };
}

test('a name that somebody has taken is told, the other servers are taken in, and the next configuration tries again', async () => {
  await using server = await simulated('daa', 'http');
  const url = `http://127.0.0.1:${server.port}/mcp`;
  const [a, b] = ['a', 'b'].map((id) => serverConfig(id, [], { endpoint: { type: 'http', url, headers: {} } }));
  if (a === undefined || b === undefined) throw new Error('there are two');
  await using made = rig(testConfig([]));
  made.collector.add(a);
  await made.live.apply(testConfig([a, b]));
  expect(made.told()).toEqual([
    'CONFIG_APPLIED the changed configuration is applied: added b',
    'CONFIG_WARNING a cannot be watched: Server "a" already exists.',
  ]);
  await made.collector.remove('a');
  await made.live.apply(testConfig([a, b]));
  expect(made.told().at(-1)).toBe('CONFIG_APPLIED the changed configuration is applied: added a');
  expect(made.live.servers.map(({ id }) => id)).toEqual(['a', 'b']);
});

test('a file that is right again is told, and one that has not changed is not', async () => {
  await using made = rig(testConfig([]));
  await made.live.apply(testConfig([]));
  expect(made.told()).toEqual([]);
  await made.live.reject(['x: is wrong', 'y: is wrong']);
  await made.live.apply(testConfig([]));
  await made.live.apply(testConfig([]));
  expect(made.told()).toEqual([
    'CONFIG_INVALID the changed configuration is not applied: x: is wrong; y: is wrong',
    'CONFIG_APPLIED the changed configuration is applied: no server has changed',
  ]);
});

test('options that are read at the start only are told once, until they change again', async () => {
  await using made = rig(testConfig([]));
  const changed = testConfig([], { tombstones: 7, heartbeatMs: 8 });
  await made.live.apply(changed);
  await made.live.apply(changed);
  expect(made.told()).toEqual([
    'CONFIG_WARNING heartbeatMs, tombstones: changed in the file, and used from the next start on',
  ]);
});
