// Process with many subscriptions that only counts updates, so that reading costs little. Prints a JSON line when all have
// their first update, with the time this took, and for each line on standard input.
// Usage: node subscribers.js URL COUNT MODE
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

const [url, count, mode] = process.argv.slice(2);
const QUERY = `subscription { agentUpdates(mode: ${mode}) {
  kind cursor removedAgentIds staleServerIds
  agents { id serverId type status swarmId stale name lastActiveAt performance { tasksActive tasksCompleted healthScore } topology { role parentId } }
} }`;

const startMs = performance.now();
let updates = 0;
let bytes = 0;
let snapshots = 0;
/** Latencies of one subscriber from the change of an agent to the arrival of its update, in milliseconds. */
let latenciesMs = [];

for (let index = 0; index < Number(count); index += 1) {
  const socket = new WebSocket(url, 'graphql-transport-ws');
  let subscribed = false;
  socket.on('open', () => socket.send('{"type":"connection_init"}'));
  socket.on('message', (data) => {
    if (!subscribed) {
      subscribed = true;
      socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: QUERY } }));
      return;
    }
    const head = data.subarray(0, 40).toString();
    if (!head.includes('"next"')) return;
    updates += 1;
    bytes += data.length;
    if (index === 0 && updates > 1) recordLatency(data);
    if (data.subarray(0, 120).includes('SNAPSHOT')) {
      snapshots += 1;
      if (snapshots === Number(count))
        process.stdout.write(`${JSON.stringify({ ready: true, ms: performance.now() - startMs })}\n`);
    }
  });
  socket.on('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
}

function recordLatency(data) {
  const nowMs = Date.now();
  const { agents } = JSON.parse(data.toString()).payload.data.agentUpdates;
  const changedAtMs = Math.max(...agents.map(({ lastActiveAt }) => Date.parse(lastActiveAt ?? '')));
  if (Number.isFinite(changedAtMs)) latenciesMs.push(nowMs - changedAtMs);
}

function percentile(share) {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}

createInterface({ input: process.stdin }).on('line', () => {
  process.stdout.write(
    `${JSON.stringify({ updates, bytes, snapshots, p50Ms: percentile(0.5), p99Ms: percentile(0.99) })}\n`,
  );
  latenciesMs = [];
});
process.stdin.on('end', () => process.exit(0));
