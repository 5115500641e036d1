import { setMaxListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type CallGuard,
  type ConnectOptions,
  connectSession,
  type GuardedSignal,
  type McpSession,
  type StdioEndpoint,
  type ToolCallResult,
} from '../../src/mcp/index.js';
import { type Clock, systemClock } from '../../src/shared/index.js';
import type { Logger } from '../../src/shared/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { waitUntil } from '../support/wait.js';

/** Returns a signal as that of a guarded call, for tests of sessions without a guard. */
export function guarded(signal: AbortSignal): GuardedSignal {
  // Only the type differs.
  return signal as GuardedSignal;
}

/** Guard that runs every call once and leaves timeouts to the session. */
export const PASSING_GUARD: CallGuard = { call: (operation, { signal }) => operation(guarded(signal)) };

export const NEVER = guarded(new AbortController().signal);
// Any number of calls may listen at the same time.
setMaxListeners(0, NEVER);
/** Time in milliseconds that no call or connection takes on a slow machine, on `hurriedClock` too. */
export const NO_TIMEOUT_MS = 7_200_000;
export const CALL = { signal: NEVER, timeoutMs: NO_TIMEOUT_MS };

/** Clock that runs twenty times faster, for timeouts that end because a child does nothing. */
export const hurriedClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now() * 20,
  schedule: (delayMs, callback) => systemClock.schedule(delayMs / 20, callback),
};

export function serverPath(name: string): string {
  return fileURLToPath(new URL(`servers/${name}.js`, import.meta.url));
}

/** Returns the endpoint of a fixture server by its file name. */
export function endpointOf(name: string, ...args: string[]): StdioEndpoint {
  return { type: 'stdio', command: process.execPath, args: [serverPath(name), ...args], cwd: process.cwd(), env: {} };
}

export function connectOptions(options: Partial<ConnectOptions> = {}): ConnectOptions {
  return {
    serverId: 'fixture',
    signal: NEVER,
    connectTimeoutMs: NO_TIMEOUT_MS,
    clock: systemClock,
    logger: silentLogger,
    guard: PASSING_GUARD,
    ...options,
  };
}

export function connect(name: string, options: Partial<ConnectOptions> = {}): Promise<McpSession> {
  return connectSession(endpointOf(name), connectOptions(options));
}

export function call(session: McpSession, tool: string, args: Record<string, unknown> = {}): Promise<ToolCallResult> {
  return session.callTool(tool, args, CALL);
}

/** Resolves with the value or the error of a promise. Prevents an unhandled rejection before the test awaits it. */
export function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => value,
    (error: unknown) => error,
  );
}

/** Returns whether a process runs. Zombie processes count as ended. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return process.platform !== 'linux';
  }
}

/** Resolves when a process that is not a child of this one has ended. A signal takes effect after a delay. */
export async function ended(pid: number): Promise<void> {
  await waitUntil(() => !isAlive(pid), { state: () => `process ${pid} runs` });
}

/** Splits bytes at the given positions, modulo their length. */
export function chunksOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

export interface LogLine {
  readonly level: string;
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

/** Creates a logger that records its lines. */
export function recordingLogger(): { logger: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at =
    (level: string) =>
    (fields: Record<string, unknown>, message: string): void => {
      lines.push({ level, fields, message });
    };
  const methods = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), level: 'debug' };
  const logger = { ...methods, child: () => logger } as unknown as Logger; // pino's methods have many overloads
  return { logger, lines };
}
