// State of synthetic agents that change on a timer, without MCP servers. Equal for all servers, including the cost of changes.
import { UNKNOWN_PERFORMANCE } from '../../dist/model/index.js';
import { emptyDelta, Store } from '../../dist/state/index.js';
import { AGENT_TYPES, formatSwarmId } from './operation.js';

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

/** Difference between the machine's monotonic clock, which all processes share, and `performance.now()`, in milliseconds. */
const MONOTONIC_OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export class SyntheticState {
  /** Called after each change with the changed agents. */
  onChange = () => undefined;
  /** Share of a period by which a change precedes its tick. 0.5 for a server with its own ticks. */
  lead = 0;
  agents;
  store = new Store({ epoch: 'bench', maxTombstones: 1_000, maxEvents: 16 });
  #changed;
  #periodMs;
  #diff;
  #round = 0;
  #tickCount = 0;
  #lastTick = 0;
  #timer = null;

  /** @param diff whether changes are found by comparing all agents, as after a poll */
  constructor({ agents, changed, hz, diff = false }) {
    this.#changed = changed;
    this.#periodMs = 1000 / hz;
    this.#diff = diff;
    this.agents = Array.from({ length: agents }, (_, index) => createAgent(index, 0, 0));
    this.#commit(this.agents);
  }

  /** Changes agents at the next `ticks` ticks. Returns the time until the first one in milliseconds. */
  start(ticks = Infinity) {
    clearTimeout(this.#timer);
    const first = Math.ceil(performance.now() / this.#periodMs) + 1;
    this.#tickCount = 0;
    this.#lastTick = first + ticks - 1;
    this.#wait(first);
    return first * this.#periodMs - performance.now();
  }

  /** Stops the changes. Returns the number of ticks. */
  stop() {
    clearTimeout(this.#timer);
    return this.#tickCount;
  }

  /** Waits for a tick. Ticks are at whole multiples of the period, as in `RateClock`. */
  #wait(tick) {
    if (tick > this.#lastTick) return;
    const tickMs = tick * this.#periodMs;
    const fireMs = tickMs - this.lead * this.#periodMs;
    this.#timer = setTimeout(() => {
      const now = performance.now();
      // Timers may fire a fraction of a millisecond early.
      if (now < fireMs) {
        this.#wait(tick);
        return;
      }
      this.#tickCount += 1;
      this.#step(tickMs);
      // An overloaded server misses ticks.
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
      const agent = createAgent(index, this.#round, stampMicros);
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

/** Creates an agent. `tokenUsage` contains the time of the tick in microseconds of the monotonic clock. */
function createAgent(index, round, stampMicros) {
  const chance = mixed(index, round);
  return {
    id: `bench:agent-${index}`,
    nativeId: `agent-${index}`,
    serverId: 'bench',
    serverType: 'CUSTOM',
    swarmId: formatSwarmId(index),
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
