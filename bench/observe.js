// Measures an observer of Claude Code: start, memory and idle CPU with many transcripts, and the latency from a written line to the
// frame of a GraphQL subscriber. Usage: node bench/observe.js [--files N] [--bytes N] [--active N] [--lines N] [--idle SECONDS]
import { appendFile, mkdir, mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { createApp } from '../dist/app/index.js';
import { loadConfig } from '../dist/config/index.js';
import { systemClock } from '../dist/shared/index.js';
import { silentLogger } from '../dist/telemetry/index.js';
import { median, percentile } from './support/statistics.js';

const GOALS = { startMs: 5_000, memoryMb: 150, idleCpuPercent: 1, latencyMs: 100 + 150 };
const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '2000' },
    bytes: { type: 'string', default: String(1024 * 1024) },
    active: { type: 'string', default: '50' },
    lines: { type: 'string', default: '400' },
    idle: { type: 'string', default: '30' },
  },
});
const [files, bytes, active, lines, idle] = ['files', 'bytes', 'active', 'lines', 'idle'].map((name) =>
  Number(values[name]),
);
const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const directory = await mkdtemp(join(tmpdir(), 'swarmlens-bench-'));
const root = join(directory, 'claude');
const OUTPUT = 'x'.repeat(3_000);

/** Invented transcript of one session. */
class Transcript {
  constructor(number) {
    this.id = `${String(number).padStart(8, '0')}-0000-4000-8000-000000000000`;
    this.path = join(root, 'projects', `-home-dev-${number % 40}`, `${this.id}.jsonl`);
    this.records = 0;
    this.timeMs = Date.now() - 3_600_000;
  }

  record(fields) {
    this.records += 1;
    this.timeMs = Math.min(Date.now(), this.timeMs + 500);
    const envelope = { cwd: `/home/dev/${this.id}`, sessionId: this.id, version: '2.1.270' };
    const identity = { uuid: `${this.id}-${this.records}`, parentUuid: this.records === 1 ? null : 'x' };
    return `${JSON.stringify({ ...identity, ...envelope, timestamp: new Date(this.timeMs).toISOString(), ...fields })}\n`;
  }

  call(tool) {
    const id = `${this.id}-${this.records}`;
    const usage = { input_tokens: 3, output_tokens: 100, cache_read_input_tokens: 20_000 };
    const content = [{ type: 'tool_use', id, name: tool, input: { command: 'ls' } }];
    const message = { id, model: 'claude-sonnet-5', stop_reason: 'tool_use', usage, content };
    const result = [{ type: 'tool_result', tool_use_id: id, content: OUTPUT }];
    return [
      this.record({ type: 'assistant', requestId: id, message }),
      this.record({ type: 'user', message: { content: result } }),
    ];
  }

  async write() {
    await mkdir(dirname(this.path), { recursive: true });
    const file = await open(this.path, 'w');
    let text = this.record({ type: 'user', message: { content: 'Do it.' } });
    for (let size = 0; size < bytes;) {
      const records = this.call('Bash').join('');
      size += records.length;
      text += records;
    }
    await file.writeFile(text);
    await file.close();
  }
}

const started = performance.now();
const transcripts = [];
for (let number = 0; number < files; number += 1) {
  const transcript = new Transcript(number);
  await transcript.write();
  transcripts.push(transcript);
}
console.log(`wrote ${files} transcripts of ${bytes} bytes in ${((performance.now() - started) / 1_000).toFixed(0)} s`);

process.env.XDG_STATE_HOME = join(directory, 'state');
const config = await loadConfig({
  flags: { demo: true, port: '0' },
  env: {},
  cwd: directory,
  program,
});
const endpoint = {
  type: 'stdio',
  command: process.execPath,
  args: [program, 'observe', 'claude-code', '--root', root],
  cwd: directory,
  env: { XDG_STATE_HOME: join(directory, 'state') },
};

/** Runs swarmlens with the observer until `use` has ended. */
async function withApp(use) {
  const servers = [{ ...config.servers[0], id: 'claude', endpoint, timeoutMs: 30_000 }];
  const startMs = performance.now();
  const app = await createApp({ ...config, servers }, { clock: systemClock, logger: silentLogger });
  const client = createClient({ url: `${app.url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket });
  const agents = new Map();
  let onUpdate = () => undefined;
  const unsubscribe = client.subscribe(
    { query: 'subscription { agentUpdates { agents { id activity { label } usage { complete } } } }' },
    {
      next: ({ data }) => {
        for (const agent of data.agentUpdates.agents) agents.set(agent.id, agent);
        onUpdate(data.agentUpdates.agents);
      },
      error: (error) => console.error(error),
      complete: () => undefined,
    },
  );
  const until = async (isReached) => {
    while (!isReached(agents)) await sleep(20);
    return performance.now() - startMs;
  };
  try {
    return await use({ until, setListener: (listener) => (onUpdate = listener), pid: () => childPid() });
  } finally {
    unsubscribe();
    await client.dispose();
    await app[Symbol.asyncDispose]();
  }
}

/** Returns the id of the observer, which is a descendant of this process. */
async function childPid() {
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (command.includes('observe') && command.includes(root)) return Number(name);
  }
  throw new Error('the observer does not run');
}

/** Returns the names of the stored indexes. */
async function indexes() {
  const names = await readdir(join(directory, 'state', 'swarmlens')).catch(() => []);
  return names.filter((name) => name.endsWith('.index'));
}

async function memoryMb(pid, field) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1_024;
}

async function cpuSeconds(pid) {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const result = {};
await withApp(async ({ until, pid, setListener }) => {
  result.firstStartMs = await until((agents) => agents.size >= files);
  result.completeMs = await until((agents) => [...agents.values()].every(({ usage }) => usage.complete));
  const observer = await pid();
  result.peakMemoryMb = await memoryMb(observer, 'VmHWM');
  // The states of all files are stored once.
  while ((await indexes()).length === 0) await sleep(1_000);
  await sleep(1_000);
  const cpuBefore = await cpuSeconds(observer);
  await sleep(idle * 1_000);
  result.idleCpuPercent = ((await cpuSeconds(observer)) - cpuBefore) * (100 / idle);
  result.idleMemoryMb = await memoryMb(observer, 'VmRSS');

  const latencies = [];
  const pending = new Map();
  setListener((agents) => {
    for (const { activity } of agents) {
      const writtenMs = pending.get(activity?.label);
      if (writtenMs === undefined) continue;
      latencies.push(performance.now() - writtenMs);
      pending.delete(activity.label);
    }
  });
  for (let line = 0; line < lines; line += 1) {
    const transcript = transcripts[line % active];
    const tool = `Tool${line}`;
    const [call] = transcript.call(tool);
    pending.set(tool, performance.now());
    await appendFile(transcript.path, call);
    await sleep(1_000 / active);
  }
  await sleep(2_000);
  result.latencyMs = median(latencies);
  result.latencyP95Ms = percentile(
    [...latencies].sort((a, b) => a - b),
    0.95,
  );
  result.seen = `${latencies.length} of ${lines}`;
});
await withApp(async ({ until }) => {
  result.nextStartMs = await until((agents) => agents.size >= files);
});
await rm(directory, { recursive: true });
console.table(result);
const misses = Object.entries({
  startMs: Math.max(result.firstStartMs, result.nextStartMs),
  memoryMb: Math.max(result.peakMemoryMb, result.idleMemoryMb),
  idleCpuPercent: result.idleCpuPercent,
  latencyMs: result.latencyMs,
}).filter(([goal, value]) => value > GOALS[goal]);
for (const [goal, value] of misses) console.log(`missed: ${goal} is ${value.toFixed(1)}, goal ${GOALS[goal]}`);
process.exitCode = misses.length === 0 ? 0 : 1;
