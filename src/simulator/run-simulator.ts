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
/** Simulated duration of a step when the simulation is frozen. */
const FROZEN_STEP_MS = 100;

/** Options of `runSimulator`. */
export interface SimulatorOptions {
  readonly type: SimulatorType;
  /** Average number of running agents, 0 to 100,000. */
  readonly agents: number;
  /** Seed of the simulation, any whole number. Equal seeds give equal histories and ids. */
  readonly seed: number;
  /** Steps per second, 0 (frozen) to 1,000. About a tenth of the agents act in each step. */
  readonly hz: number;
  readonly transport: 'stdio' | 'http' | 'tcp';
  /** Port on 127.0.0.1 for HTTP and TCP. 0 picks a free port. */
  readonly port: number;
  readonly clock?: Clock;
}

/** Default options of a simulator. */
export const SIMULATOR_DEFAULTS = { agents: 20, seed: 1, hz: 5, transport: 'stdio', port: 0 } as const;

export interface RunningSimulator extends AsyncDisposable {
  /** URL of the form `http://127.0.0.1:PORT/mcp` or `tcp://127.0.0.1:PORT`. Null for stdio. */
  readonly url: string | null;
  /** Resolves when stdin has ended (stdio only) or the simulator is disposed. */
  readonly ended: Promise<void>;
}

/**
 * Starts one simulated MCP server. Its agents change until it is disposed.
 * @throws RangeError if an option is out of range
 * @throws the system error if the port cannot be bound
 */
export async function runSimulator(
  options: SimulatorOptions,
  io: { readonly stdin: Readable; readonly stdout: Writable },
): Promise<RunningSimulator> {
  validateOptions(options);
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
  const profile = SERVER_PROFILES[type];
  if (transport === 'stdio') {
    const connection = await serveStreams(profile, tools, stdin, stdout);
    return { url: null, ended: connection.ended, [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose]() };
  }
  const listener = await (transport === 'http' ? serveHttp : serveTcp)(profile, tools, port);
  let markEnded = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    markEnded = resolve;
  });
  return {
    url: listener.url,
    ended,
    [Symbol.asyncDispose]: async () => {
      await listener[Symbol.asyncDispose]();
      markEnded();
    },
  };
}

function validateOptions({ agents, seed, hz, port }: SimulatorOptions): void {
  const assertRange = (name: string, value: number, isValid: boolean, range: string): void => {
    if (!isValid) throw new RangeError(`${name} must be ${range}, not ${value}`);
  };
  const isWholeNumber = Number.isSafeInteger;
  assertRange(
    'agents',
    agents,
    isWholeNumber(agents) && agents >= 0 && agents <= MAX_AGENTS,
    `a whole number from 0 to ${MAX_AGENTS}`,
  );
  assertRange('seed', seed, isWholeNumber(seed), 'a whole number');
  assertRange('hz', hz, hz >= 0 && hz <= MAX_HZ, `a number from 0 to ${MAX_HZ}`);
  assertRange('port', port, isWholeNumber(port) && port >= 0 && port <= 65_535, 'a whole number from 0 to 65535');
}
