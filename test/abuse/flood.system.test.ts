import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { ServerConfig } from '../../src/config/index.js';
import { mappingSchema } from '../../src/config/mapping.js';
import { serverConfig, startApp } from '../support/app.js';
import { threadMs, TurnMeter } from '../support/turn-meter.js';

const FLOOD = fileURLToPath(new URL('flood.js', import.meta.url));
const AGENTS = 40_000;

const answerSchema = z.object({ result: z.object({ content: z.array(z.object({ text: z.string() })) }) });

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Starts a role of `flood.js`. Returns the lines that it prints. */
function start(role: string, value: string): Interface {
  const child = spawn(process.execPath, [FLOOD, role, value], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return createInterface({ input: child.stdout });
}

async function nextLine(lines: Interface): Promise<string> {
  const [line] = await once(lines, 'line');
  return String(line);
}

/** Returns the shortest time in milliseconds that JSON.parse takes for an answer of the server. */
function parseMs(rounds: number): number {
  const agents = Array.from({ length: AGENTS }, (_, index) => ({
    id: `answer-1-agent-${index}`,
    name: `agent ${index}`,
    agent_type: 'coder',
    status: 'running',
    capabilities: ['code', 'test'],
  }));
  const content = [{ type: 'text', text: JSON.stringify({ agents, total_count: AGENTS }) }];
  const text = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content } });
  const times = Array.from({ length: rounds }, () => {
    const startMs = threadMs();
    const { result } = answerSchema.parse(JSON.parse(text));
    for (const block of result.content) JSON.parse(block.text);
    return threadMs() - startMs;
  });
  return Math.min(...times);
}

const MAPPING = mappingSchema.parse({
  agents: {
    tool: 'list_agents',
    list: 'agents',
    where: { status: { not: 'retired' } },
    fields: { id: 'id', name: ['title', 'name'], type: 'agent_type', status: 'status', capabilities: 'capabilities' },
  },
});

test.each<[string, Partial<ServerConfig>]>([
  ['of a known type', { serverType: 'DAA' }],
  ['that is mapped', { serverType: 'CUSTOM', mapping: MAPPING }],
])(
  'a server %s with 40,000 new agents in each answer blocks no turn for much longer than JSON.parse of the answer',
  async (_, options) => {
    const port = Number(await nextLine(start('server', `${AGENTS}`)));
    const server = serverConfig('flood', [], {
      ...options,
      endpoint: { type: 'tcp', host: '127.0.0.1', port, token: null },
    });
    await using app = await startApp([server], { heartbeatMs: 1_000 });
    const updates = start('subscriber', app.url);
    await nextLine(updates);
    using meter = new TurnMeter();
    const longest: number[] = [];
    for (let update = 0; update < 8; update += 1) {
      meter.take();
      await nextLine(updates);
      longest.push(meter.take());
    }
    const parsedMs = parseMs(8);
    const medianMs = longest.sort((a, b) => a - b)[4] ?? Infinity;
    expect(medianMs / parsedMs).toBeLessThan(3);
  },
);
