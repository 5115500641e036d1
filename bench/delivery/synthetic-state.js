// A picture of agents that changes by itself, without MCP servers. The same for all contenders, and so is what changing
// it costs.
import { UNKNOWN_PERFORMANCE } from '../../dist/model/index.js';
import { emptyDelta, Store } from '../../dist/state/index.js';
import { AGENT_TYPES, swarmIdOf } from './operation.js';

const STATUSES = ['ACTIVE', 'BUSY', 'IDLE', 'PAUSED'];
const SERVER = {
  id: 'bench',
  type: 'CUSTOM',
  agentServerTypes: ['CUSTOM'],
  name: 'bench',
  version: null,
  transport: 'STDIO',
  status: 'ONLINE',
  tools: [],
  stale: false,
  simulated: true,
  connectedAt: null,
  lastError: null,
};

/** Milliseconds of the machine's monotonic clock, which all processes share, less `performance.now()`. */
const MONOTONIC_OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export class Picture {
  /** Called after each change with the agents that changed. */
  onChange = () => undefined;
  /** Share of a period by which a change comes before its tick: half for a server that has its own ticks. */
  lead = 0;
  agents;
  store = new Store({ epoch: 'bench', maxTombstones: 1_000, maxEvents: 16 });
  #changed;
  #periodMs;
  #diff;
  #round = 0;
  #made = 0;
  #lastTick = 0;
  #timer = null;

  /** @param diff whether each change is found by comparing the whole picture, as after a poll */
  constructor({ agents, changed, hz, diff = false }) {
    this.#changed = changed;
    this.#periodMs = 1000 / hz;
    this.#diff = diff;
    this.agents = Array.from({ length: agents }, (_, index) => agentOf(index, 0, 0));
    this.#commit(this.agents);
  }

  /** Changes at the next `ticks` ticks; milliseconds until the first of them. */
  start(ticks = Infinity) {
    clearTimeout(this.#timer);
    const first = Math.ceil(performance.now() / this.#periodMs) + 1;
    this.#made = 0;
    this.#lastTick = first + ticks - 1;
    this.#wait(first);
    return first * this.#periodMs - performance.now();
  }

  /** How many of the ticks were made. */
  stop() {
    clearTimeout(this.#timer);
    return this.#made;
  }

  /** Ticks lie where `RateClock` has them: at whole multiples of the period. */
  #wait(tick) {
    if (tick > this.#lastTick) return;
    const tickMs = tick * this.#periodMs;
    const fireMs = tickMs - this.lead * this.#periodMs;
    this.#timer = setTimeout(() => {
      const now = performance.now();
      // Timers may come a fraction of a millisecond early.
      if (now < fireMs) {
        this.#wait(tick);
        return;
      }
      this.#made += 1;
      this.#step(tickMs);
      // A server that is too busy misses ticks, as a timer does.
      this.#wait(Math.max(tick, Math.floor(now / this.#periodMs + this.lead)) + 1);
    }, fireMs - performance.now());
  }

  #step(tickMs) {
    this.#round += 1;
    const stampMicros = Math.round((tickMs + MONOTONIC_OFFSET_MS) * 1000);
    const from = this.#round * this.#changed;
    const changes = [];
    for (let step = 0; step < this.#changed; step += 1) {
      const index = (from + step) % this.agents.length;
      const agent = agentOf(index, this.#round, stampMicros);
      this.agents[index] = agent;
      changes.push(agent);
    }
    this.#commit(changes);
    this.onChange(changes);
  }

  #commit(changes) {
    const seenAt = new Date().toISOString();
    if (this.#diff || this.#round === 0) {
      this.store.commit(this.store.diff({ server: SERVER, agents: this.agents, swarms: [], edges: [] }, seenAt));
    } else {
      this.store.commit({ ...emptyDelta(SERVER.id), seenAt, agents: changes });
    }
  }
}

/** `tokenUsage` holds the moment of the tick, microseconds of the monotonic clock. */
function agentOf(index, round, stampMicros) {
  const chance = mixed(index, round);
  return {
    id: `bench:agent-${index}`,
    nativeId: `agent-${index}`,
    serverId: 'bench',
    serverType: 'CUSTOM',
    swarmId: swarmIdOf(index),
    name: `${AGENT_TYPES[index % AGENT_TYPES.length]} ${(mixed(index, -1) % 0xffff).toString(16)}`,
    type: AGENT_TYPES[index % AGENT_TYPES.length],
    status: STATUSES[chance % STATUSES.length],
    capabilities: ['code', 'test'],
    performance: {
      ...UNKNOWN_PERFORMANCE,
      tasksActive: chance % 7,
      tasksCompleted: round + index,
      tokenUsage: stampMicros,
      healthScore: (chance % 1000) / 1000,
    },
    neural: null,
    topology: null,
    stale: false,
    simulated: true,
    createdAt: null,
    lastActiveAt: new Date(1_800_000_000_000 + round * 1000 + (chance % 1000)).toISOString(),
    lastSeenAt: null,
  };
}

function mixed(a, b) {
  let value = Math.imul(a + 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35);
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  return (value ^ (value >>> 13)) >>> 0;
}
