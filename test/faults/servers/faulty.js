// Runs a simulator behind a layer that damages its responses on request of a test.
// Usage: node faulty.js --control PORT --name NAME [--front tcp|http]
// Sends its name over the control socket and receives its options and orders there, one JSON line each. Uses stdio for
// MCP without `--front`.
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { parseArgs } from 'node:util';
import { runSimulator } from '../../../dist/simulator/index.js';
import { Damage } from './damage.js';
import { Front } from './front.js';
import { Layer } from './layer.js';
import { onJsonLines } from './lines.js';

const { values } = parseArgs({
  options: { control: { type: 'string' }, name: { type: 'string' }, front: { type: 'string' } },
});
const control = connect(Number(values.control), '127.0.0.1');
const say = (what) => control.write(`${JSON.stringify(what)}\n`);
const damage = new Damage();
let front = null;
let layer = null;
let life = null;
let isFrozen = false;

// Without the control connection, no test could stop this process.
control.on('error', () => process.exit(0)).on('close', () => process.exit(0));
onJsonLines(control, (_line, order) => {
  obey(order).then(
    (result) => say({ did: order.number, ...result }),
    (error) => say({ did: order.number, error: String(error) }),
  );
});
say({ hello: { name: values.name, pid: process.pid } });

/** Handlers of all orders. */
const ORDERS = {
  live,
  damage: ({ damage: wanted }) => damage.set(wanted),
  release: () => damage.release(),
  flood: ({ count }) => layer.flood(count),
  freeze: () => {
    isFrozen = true;
  },
  refuse: () => front.refuse(),
  accept: () => front.accept(),
  hangUp: ({ on }) => front.hangUp(on),
};

async function obey(order) {
  return ORDERS[order.do](order);
}

async function live(order) {
  life = order;
  damage.set(life.damage);
  const options = { type: life.type, agents: life.agents, seed: life.seed, hz: life.hz, clock: clockOf(life) };
  if (values.front !== undefined) {
    front = await Front.open(values.front, life.port, options, { damage, onCall });
    return { port: front.port };
  }
  const [toSimulator, fromSimulator] = [new PassThrough(), new PassThrough()];
  const simulator = await runSimulator(
    { ...options, transport: 'stdio', port: 0 },
    { stdin: toSimulator, stdout: fromSimulator },
  );
  simulator.ended.then(() => process.exit(0));
  layer = new Layer({ input: process.stdin, output: process.stdout, toSimulator, fromSimulator, damage, onCall });
  return {};
}

/** Returns a clock with an offset, whose timers do nothing while the simulation is frozen. */
function clockOf({ clockOffsetMs }) {
  return {
    now: () => Date.now() + clockOffsetMs,
    monotonic: () => performance.now(),
    schedule(delayMs, callback) {
      const timer = setTimeout(() => {
        if (!isFrozen) callback();
      }, delayMs);
      return { [Symbol.dispose]: () => clearTimeout(timer) };
    },
  };
}

const counts = new Map();

function onCall(tool) {
  const count = (counts.get(tool) ?? 0) + 1;
  counts.set(tool, count);
  say({ call: tool, count });
  const { exitOn } = life;
  if (exitOn === null || (exitOn.tool ?? tool) !== tool) return;
  const counted = exitOn.tool === undefined ? [...counts.values()].reduce((sum, one) => sum + one) : count;
  if (counted === exitOn.count) process.exit(1);
}
