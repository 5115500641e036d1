import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { afterEach, describe, expect, test } from 'vitest';
import { connectSession, type EndpointConfig, TapConnection } from '../../src/mcp/index.js';
import { startApp } from '../support/app.js';
import { parseRedisUrl } from '../../src/shared/index.js';
import { CALL, connectOptions } from '../mcp/support.js';
import { hasRedis, NO_REDIS, RedisServer } from '../support/redis-server.js';
import { threadMs, TurnMeter } from '../support/turn-meter.js';
import { ChangeNotifier, waitUntil } from '../support/wait.js';
import {
  agentsJson,
  BUS_MESSAGE_NAMES,
  LENGTH,
  LINE_NAMES,
  OBSERVED_CALL_NAMES,
  OPERATION_NAMES,
  RESPONSE_NAMES,
} from './long-inputs.js';

const PROGRAM = fileURLToPath(new URL('long-inputs.js', import.meta.url));

/** Largest allowed turn of the event loop, in multiples of the time that JSON.parse takes for agents of the same length: about 45 ms. */
const MAX_SHARE = 1;

/** Maximum number of times that an input is repeated while its turn is too long. */
const MAX_ROUNDS = 10;

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

/** Longest turns by the name of the input, in milliseconds, of all inputs that took longer than the limit. */
class LongTurns implements Disposable {
  readonly limitMs = MAX_SHARE * measureParseMs();
  readonly found: Record<string, number> = {};
  readonly #meter = new TurnMeter();

  /**
   * Measures an input. Repeats it while a turn is too long, because the collection of garbage of earlier inputs, or another
   * process that uses the caches of the processor, may be the cause.
   */
  async measure(name: string, work: () => Promise<unknown>): Promise<void> {
    let longestMs = Infinity;
    for (let round = 0; round < MAX_ROUNDS && longestMs > this.limitMs; round += 1) {
      this.#meter.take();
      await work();
      longestMs = Math.min(longestMs, this.#meter.take());
    }
    if (longestMs > this.limitMs) this.found[name] = longestMs;
  }

  [Symbol.dispose](): void {
    this.#meter[Symbol.dispose]();
  }
}

describe('messages of 10 MB of an MCP server', () => {
  test.each(Object.entries(ENDPOINTS))(
    'block no turn for longer than JSON.parse of agents: %s',
    async (_name, createEndpoint) => {
      const endpoint = await createEndpoint();
      using turns = new LongTurns();
      await turns.measure('handshake', async () => {
        await using _session = await connectSession(endpoint, connectOptions());
      });
      await using session = await connectSession(endpoint, connectOptions());
      for (const name of endpoint.type === 'stdio' ? LINE_NAMES : RESPONSE_NAMES) {
        await turns.measure(name, () => session.callTool(name, {}, CALL).catch(() => null));
      }
      // The session has survived everything.
      expect(await session.callTool('none', {}, CALL)).toEqual({ isError: false, value: [] });
      expect(turns.found, `limit: ${turns.limitMs} ms`).toEqual({});
    },
  );
});

/** Starts a program that sends the inputs whose names it reads. Returns a function that sends one. */
function startSender(...args: readonly string[]): (name: string) => Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  return async (name) => {
    const sent = once(lines, 'line');
    child.stdin.write(`${name}\n`);
    expect(await sent).toEqual([name]);
  };
}

describe('observed calls of 10 MB of a tap', () => {
  test('block no turn for longer than JSON.parse of agents', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${await startServer('ws')}/`, { perMessageDeflate: false });
    await once(socket, 'open');
    const link = new TapConnection();
    link.attach(socket);
    await using session = await connectSession({ type: 'tap', link }, connectOptions());
    const changes = new ChangeNotifier();
    let observed = 0;
    session.onEvent(() => {
      observed += 1;
      changes.notify();
    });
    using turns = new LongTurns();
    for (const name of OBSERVED_CALL_NAMES) {
      await turns.measure(name, async () => {
        const before = observed;
        await session.callTool(name, {}, CALL);
        await changes.until(() => observed > before, { state: () => name });
      });
    }
    expect(turns.found, `limit: ${turns.limitMs} ms`).toEqual({});
  });
});

describe('operations of 10 MB, or just within the limits, of a client', () => {
  test.each(['http', 'ws'])('block no turn for longer than JSON.parse of agents: %s', async (transport) => {
    await using app = await startApp([]);
    const send = startSender('client', `${app.url}/graphql`, transport);
    using turns = new LongTurns();
    for (const name of OPERATION_NAMES) await turns.measure(name, () => send(name));
    expect(turns.found, `limit: ${turns.limitMs} ms`).toEqual({});
  });
});

const COUNTERS = /^swarmlens_bus_(?:received|refused)_total(?:\{.*\})? (\d+)$/gm;

describe.skipIf(!hasRedis())(
  `messages of 10 MB, or just within the limit, of a node ${hasRedis() ? '' : NO_REDIS}`,
  () => {
    test('block no turn for longer than JSON.parse of agents', async () => {
      await using redis = await RedisServer.start();
      await using app = await startApp([], { bus: parseRedisUrl(redis.url) ?? 'memory' });
      const countMessages = async (): Promise<number> => {
        const metrics = await (await fetch(`${app.url}/metrics`)).text();
        return [...metrics.matchAll(COUNTERS)].reduce((sum, [, count]) => sum + Number(count), 0);
      };
      const send = startSender('node', redis.url);
      using turns = new LongTurns();
      for (const name of BUS_MESSAGE_NAMES) {
        await turns.measure(name, async () => {
          const before = await countMessages();
          await send(name);
          await waitUntil(async () => (await countMessages()) > before, { state: () => name, intervalMs: 50 });
        });
      }
      expect(turns.found, `limit: ${turns.limitMs} ms`).toEqual({});
    });
  },
);
