import type { Readable, Writable } from 'node:stream';
import { systemClock, type Clock } from '../shared/index.js';
import { serveHttp } from './transports/http.js';
import type { SimulatorType } from './world/entities.js';
import { SERVER_PROFILES } from './server-profiles.js';
import { createWorld, advanceWorld } from './world/lifecycle.js';
import { startStepTimer } from './world/step-timer.js';
import { serveStreams } from './transports/stream-connection.js';
import { serveTcp } from './transports/tcp.js';
import type { SimulatedTool } from './tool.js';

const MAX_AGENTS = 100_000;
const MAX_HZ = 1000;
/** Simulated time that a step takes when no clock drives them. */
const FROZEN_STEP_MS = 100;

export interface SimulatorOptions {
  readonly type: SimulatorType;
  /** How many agents live, 0 to 100,000; their number hovers around it. */
  readonly agents: number;
  /** Any whole number. Equal seeds have equal histories and equal ids. */
  readonly seed: number;
  /** Steps a second, 0 (frozen) to 1,000; about a tenth of the agents do something in each. */
  readonly hz: number;
  readonly transport: 'stdio' | 'http' | 'tcp';
  /** For http and tcp, on 127.0.0.1; 0: a free one. */
  readonly port: number;
  readonly clock?: Clock;
}

export const SIMULATOR_DEFAULTS = { agents: 20, seed: 1, hz: 5, transport: 'stdio', port: 0 } as const;

export interface RunningSimulator extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/mcp` or `tcp://127.0.0.1:PORT`; `null` for stdio. */
  readonly url: string | null;
  /** Resolves when stdin has ended (stdio), or the simulator was closed. */
  readonly ended: Promise<void>;
}

/**
 * Starts one simulated MCP server, whose agents change until it is disposed.
 * @throws RangeError an option is out of its range
 * @throws the system's error when the port cannot be bound
 */
export async function runSimulator(
  options: SimulatorOptions,
  io: { readonly stdin: Readable; readonly stdout: Writable },
): Promise<RunningSimulator> {
  check(options);
  const clock = options.clock ?? systemClock;
  const { type, seed, agents, hz } = options;
  const stepMs = hz === 0 ? FROZEN_STEP_MS : 1000 / hz;
  const world = createWorld({ type, seed, agents, stepMs, startMs: clock.now() });
  const served = await serve(options, SERVER_PROFILES[type].tools(world), io);
  const steps = startStepTimer(clock, hz, () => advanceWorld(world));
  const ended = served.ended.then(() => steps[Symbol.dispose]());
  return {
    url: served.url,
    ended,
    [Symbol.asyncDispose]: async () => {
      await served[Symbol.asyncDispose]();
      await ended;
    },
  };
}

async function serve(
  { type, transport, port }: SimulatorOptions,
  tools: readonly SimulatedTool[],
  { stdin, stdout }: { readonly stdin: Readable; readonly stdout: Writable },
): Promise<RunningSimulator> {
  const kind = SERVER_PROFILES[type];
  if (transport === 'stdio') {
    const connection = await serveStreams(kind, tools, stdin, stdout);
    return { url: null, ended: connection.ended, [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose]() };
  }
  const listener = await (transport === 'http' ? serveHttp : serveTcp)(kind, tools, port);
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    url: listener.url,
    ended,
    [Symbol.asyncDispose]: async () => {
      await listener[Symbol.asyncDispose]();
      end();
    },
  };
}

function check({ agents, seed, hz, port }: SimulatorOptions): void {
  const require = (name: string, value: number, isValid: boolean, range: string): void => {
    if (!isValid) throw new RangeError(`${name} must be ${range}, not ${value}`);
  };
  const isWhole = Number.isSafeInteger;
  require('agents', agents, isWhole(agents) &&
    agents >= 0 &&
    agents <= MAX_AGENTS, `a whole number from 0 to ${MAX_AGENTS}`);
  require('seed', seed, isWhole(seed), 'a whole number');
  require('hz', hz, hz >= 0 && hz <= MAX_HZ, `a number from 0 to ${MAX_HZ}`);
  require('port', port, isWhole(port) && port >= 0 && port <= 65_535, 'a whole number from 0 to 65535');
}
