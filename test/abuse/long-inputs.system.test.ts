import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { connectSession, type EndpointConfig, type McpSession } from '../../src/mcp/index.js';
import { CALL, connectOptions } from '../mcp/support.js';
import { threadMs, TurnMeter } from '../support/turn-meter.js';
import { agentsJson, LENGTH, LINE_NAMES, RESPONSE_NAMES } from './long-inputs.js';

const PROGRAM = fileURLToPath(new URL('long-inputs.js', import.meta.url));

/** Largest allowed turn of the event loop, in multiples of the time that JSON.parse takes for agents of the same length: about 45 ms. */
const MAX_SHARE = 1;

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Starts a server that listens on a port of its own. Returns the port. */
async function startServer(kind: 'ws' | 'http'): Promise<number> {
  const child = spawn(process.execPath, [PROGRAM, kind], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [port] = await once(createInterface({ input: child.stdout }), 'line');
  return Number(port);
}

/** Returns the shortest of several times that JSON.parse takes for agents of `LENGTH` bytes, in milliseconds. */
function measureParseMs(): number {
  const text = agentsJson();
  expect(text.length).toBeGreaterThan(LENGTH * 0.8);
  const times = Array.from({ length: 5 }, () => {
    const startMs = threadMs();
    JSON.parse(text);
    return threadMs() - startMs;
  });
  return Math.min(...times);
}

const ENDPOINTS: Readonly<Record<string, () => Promise<EndpointConfig>>> = {
  stdio: async () => ({
    type: 'stdio',
    command: process.execPath,
    args: [PROGRAM, 'stdio'],
    cwd: process.cwd(),
    env: {},
  }),
  ws: async () => ({ type: 'ws', url: `ws://127.0.0.1:${await startServer('ws')}/`, headers: {} }),
  'http with JSON': async () => ({
    type: 'http',
    url: `http://127.0.0.1:${await startServer('http')}/json`,
    headers: {},
  }),
  'http with events': async () => ({
    type: 'http',
    url: `http://127.0.0.1:${await startServer('http')}/`,
    headers: {},
  }),
};

describe('messages of 10 MB of an MCP server', () => {
  test.each(Object.entries(ENDPOINTS))(
    'block no turn for longer than JSON.parse of agents: %s',
    async (_name, createEndpoint) => {
      const endpoint = await createEndpoint();
      const limitMs = MAX_SHARE * measureParseMs();
      using meter = new TurnMeter();
      const longest: Record<string, number> = {};
      const session: McpSession = await connectSession(endpoint, connectOptions());
      longest['handshake'] = meter.take();
      await using _session = session;
      for (const name of endpoint.type === 'stdio' ? LINE_NAMES : RESPONSE_NAMES) {
        meter.take();
        await session.callTool(name, {}, CALL).catch(() => null);
        longest[name] = meter.take();
      }
      // The session has survived everything.
      expect(await session.callTool('none', {}, CALL)).toEqual({ isError: false, value: null });
      const tooLong = Object.entries(longest).filter(([, ms]) => ms > limitMs);
      expect(tooLong, `limit ${limitMs} ms`).toEqual([]);
    },
  );
});
