// Measures how abusive load affects a bystander and the memory of the server. The built server, the abuser and the
// bystander run in separate processes. Prints one line for each kind of abuse.
// Usage: node test/abuse/load.js [--seconds N] [--connections N] [--agents N] [--kinds a,b,…]
// (default: 8, 5000, 50 and all kinds). Exits with 1 if the p99 of the
// bystander is more than twice and more than 5 ms above the baseline, if an update is missing, or if memory grows by 20 %.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { rssBytes } from '../../bench/support/process-usage.js';

const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const ABUSER = fileURLToPath(new URL('abuser.js', import.meta.url));
const FLOOD = fileURLToPath(new URL('flood.js', import.meta.url));
const ALL_KINDS = [
  'connections',
  'subscribes',
  'messages',
  'operations',
  'documents',
  'handshakes',
  'oversized',
  'requests',
  'transports',
  'lookups',
  'answers',
  'unread',
  'unreadStreams',
  'unanswered',
  'calls',
  'filters',
  'flood',
];
const MIB = 2 ** 20;
/** Time in milliseconds until an idle heap has shrunk. */
const SETTLE_MS = 15_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    connections: { type: 'string', default: '5000' },
    agents: { type: 'string', default: '50' },
    kinds: { type: 'string', default: ALL_KINDS.join() },
  },
});
const ms = Number(values.seconds) * 1_000;
const KINDS = values.kinds.split(',');
const sleep = (forMs) => new Promise((resolve) => setTimeout(resolve, forMs));

const folder = mkdtempSync(join(tmpdir(), 'swarmlens-abuse-'));
const config = join(folder, 'config.json');
const simulate = [PROGRAM, 'simulate', '--type', 'ruv-swarm', '--agents', values.agents, '--hz', '60'];
const sim = { command: process.execPath, args: simulate, swarmlens: { allowTools: ['agent_list'] } };
const configure = (servers) => writeFileSync(config, JSON.stringify({ mcpServers: servers }));
configure({ sim });
const server = spawn(process.execPath, [PROGRAM, 'serve', '--config', config, '--port', '0'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  const { value: ready } = await createInterface({ input: server.stdout })[Symbol.asyncIterator]().next();
  const url = new URL(/ready at (\S+)/.exec(ready)[1]).origin;
  const bystander = await watch(url);
  // The first run allocates everything that is allocated once, so memory is compared between the first and the second run.
  for (const kind of KINDS) await abuse(url, kind, ms);
  await sleep(SETTLE_MS);
  const before = rssBytes(server.pid);
  bystander.take();
  // The abuser is equally busy without requests, so that the comparison shows its effect on the server, not on the machine.
  await abuse(url, 'spin', ms);
  const quiet = bystander.take();
  console.log(`quiet: ${describe(quiet)}, ${(before / MIB).toFixed(0)} MiB`);
  let isGood = true;
  for (const kind of KINDS) {
    const counts = await abuse(url, kind, ms);
    const seen = bystander.take();
    const ratio = seen.p99 / quiet.p99;
    const isDisturbed = ratio > 2 && seen.p99 - quiet.p99 > 5;
    const isMissing = seen.count === 0 || bystander.isLost;
    isGood &&= !isDisturbed && !isMissing;
    console.log(
      `${kind}: ${describe(seen)}, p99 ${ratio.toFixed(2)}× of quiet${isDisturbed ? ' – too much' : ''}; ${counts}`,
    );
  }
  await sleep(SETTLE_MS);
  const after = rssBytes(server.pid);
  const growth = after / before;
  isGood &&= growth < 1.2;
  console.log(
    `memory: ${(before / MIB).toFixed(0)} MiB before, ${(after / MIB).toFixed(0)} MiB after: ${growth.toFixed(2)}×`,
  );
  bystander.close();
  process.exitCode = isGood ? 0 : 1;
} finally {
  server.kill();
  rmSync(folder, { recursive: true, force: true });
}

/** Runs abusive load in a separate process. @returns number of responses of each kind */
async function abuse(url, kind, forMs) {
  if (kind !== 'flood') return run(url, kind, forMs);
  // A server whose answers contain 40,000 new agents each.
  const flood = spawn(process.execPath, [FLOOD, 'server', '40000'], { stdio: ['ignore', 'pipe', 'inherit'] });
  setPriority(flood.pid, constants.priority.PRIORITY_LOW);
  const { value: port } = await createInterface({ input: flood.stdout })[Symbol.asyncIterator]().next();
  configure({ sim, flood: { host: '127.0.0.1', port: Number(port), swarmlens: { serverType: 'DAA' } } });
  const counts = await run(url, kind, forMs);
  configure({ sim });
  flood.kill();
  return counts;
}

/** Runs the abuser. */
async function run(url, kind, forMs) {
  const child = spawn(process.execPath, [ABUSER, url, kind, `${forMs}`, values.connections], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // A real abuser runs on another machine and does not take CPU time from the server.
  setPriority(child.pid, constants.priority.PRIORITY_LOW);
  let text = '';
  for await (const chunk of child.stdout) text += chunk;
  return text.trim();
}

/** Subscribes at 60 updates per second and measures the delay of each update since the server created it. */
async function watch(url) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  let delays = [];
  const bystander = {
    isLost: false,
    take() {
      const sorted = delays.toSorted((a, b) => a - b);
      delays = [];
      return { count: sorted.length, p50: at(sorted, 0.5), p99: at(sorted, 0.99) };
    },
    close: () => socket.terminate(),
  };
  const first = new Promise((resolve) => {
    socket.on('open', () => socket.send('{"type":"connection_init"}'));
    socket.on('close', () => (bystander.isLost = true));
    socket.on('message', (data) => {
      const message = JSON.parse(data.toString());
      if (message.type === 'connection_ack') {
        const query =
          'subscription { agentUpdates(mode: HIGH_FREQUENCY, serverTypes: [RUV_SWARM]) { timestamp agents { id } } }';
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
      } else if (message.type === 'next') {
        delays.push(Date.now() - Date.parse(message.payload.data.agentUpdates.timestamp));
        resolve();
      }
    });
  });
  await first;
  return bystander;
}

/** Returns a quantile of at least one millisecond, which is the resolution of the measurement. */
function at(sorted, share) {
  return Math.max(1, sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 1);
}

function describe({ count, p50, p99 }) {
  return `${count} updates, p50 ${p50} ms, p99 ${p99} ms`;
}
