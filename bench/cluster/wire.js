// Measures the size of bus messages with the bundled simulators at ten polls per second: as sent (patches), and with whole
// agents for comparison.
import { Buffer } from 'node:buffer';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMessageBody, encodeBusMessage } from '../../dist/cluster/bus/bus-message.js';
import { MemoryBus } from '../../dist/cluster/index.js';
import { UpstreamRegistry } from '../../dist/upstream/index.js';
import { createView, Demand, serverChangesSince, Store } from '../../dist/state/index.js';
import { DEFAULT_SERVER_OPTIONS } from '../../dist/config/index.js';
import { systemClock } from '../../dist/shared/index.js';
import { silentLogger } from '../../dist/telemetry/index.js';

const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const AGENTS = 100;
const SECONDS = 10;
const TYPES = ['claude-flow', 'ruv-swarm', 'daa'];

const store = new Store({ epoch: 'bench', maxTombstones: 1_000, maxEvents: 100 });
const bus = new MemoryBus();
const cursors = new Map();
const sizes = new Map(TYPES.map((type) => [type, { messages: 0, agents: 0, patched: 0, whole: 0 }]));
const noPatches = new Map();

bus.subscribe((change) => {
  store.commit(change);
  const { serverId } = change;
  const changes = serverChangesSince(store, serverId, cursors.get(serverId) ?? { revision: -1, events: 0 });
  cursors.set(serverId, changes.cursor);
  if (changes.kind === 'SNAPSHOT' || changes.delta.agents.length === 0) return;
  const size = sizes.get(serverId);
  size.messages += 1;
  size.agents += changes.delta.agents.length;
  size.patched += bytes(serverId, changes);
  size.whole += bytes(serverId, { ...changes, patches: noPatches });
});

function bytes(serverId, changes) {
  const body = createMessageBody(serverId, changes, { seq: 1_000, basis: 999, events: changes.change.events });
  const message = {
    fencingToken: 1_795_446_110_463,
    seq: 1_000,
    atMs: 1_795_446_110_463,
    body,
  };
  return Buffer.byteLength(JSON.stringify(encodeBusMessage(message)));
}

const servers = TYPES.map((type) => ({
  id: type,
  endpoint: {
    type: 'stdio',
    command: process.execPath,
    args: [PROGRAM, 'simulate', '--type', type, '--agents', String(AGENTS)],
    cwd: process.cwd(),
    env: {},
  },
  ...DEFAULT_SERVER_OPTIONS,
}));
const demand = new Demand();
demand.add(createView(), 10);
const deps = {
  store,
  bus,
  demand,
  clock: systemClock,
  logger: silentLogger,
  random: Math.random,
  heartbeatMs: 5_000,
  removeAfterMs: null,
};
const upstreams = new UpstreamRegistry(servers, deps);
await upstreams.ready();
await sleep(SECONDS * 1_000);
await upstreams[Symbol.asyncDispose]();

console.log('| server | messages | agents per message | bytes, patches | bytes, whole agents |');
for (const [type, { messages, agents, patched, whole }] of sizes) {
  const each = (total) => Math.round(total / messages);
  console.log(`| ${type} | ${messages} | ${(agents / messages).toFixed(1)} | ${each(patched)} | ${each(whole)} |`);
}
