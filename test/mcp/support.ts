import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type ConnectOptions,
  connectSession,
  type McpSession,
  type StdioEndpoint,
  type ToolAnswer,
} from '../../src/mcp/index.js';
import { type Clock, systemClock } from '../../src/shared/index.js';
import { type Logger, silentLogger } from '../../src/telemetry/index.js';
import { waitUntil } from '../support/wait.js';

export const NEVER = new AbortController().signal;
/** Far above what a call or a connection takes on a slow machine, on `hurriedClock` too. */
export const NO_TIMEOUT_MS = 7_200_000;
export const CALL = { signal: NEVER, timeoutMs: NO_TIMEOUT_MS };

/** Waits twenty times less: for what is only told by a child's not doing anything. */
export const hurriedClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now() * 20,
  schedule: (delayMs, callback) => systemClock.schedule(delayMs / 20, callback),
};

export function serverPath(name: string): string {
  return fileURLToPath(new URL(`servers/${name}.js`, import.meta.url));
}

/** A fixture server, by the name of its file. */
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
    ...options,
  };
}

export function connect(name: string, options: Partial<ConnectOptions> = {}): Promise<McpSession> {
  return connectSession(endpointOf(name), connectOptions(options));
}

export function call(session: McpSession, tool: string, args: Record<string, unknown> = {}): Promise<ToolAnswer> {
  return session.callTool(tool, args, CALL);
}

/** What was thrown, or the value: for a promise that may reject before anyone waits for it. */
export function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => value,
    (error: unknown) => error,
  );
}

/** Whether a process still runs. One that has ended may keep its id for a while, until the system takes note. */
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

/** Resolves when a process that is no child of ours has ended: the system may take its time over a signal. */
export async function ended(pid: number): Promise<void> {
  await waitUntil(() => !isAlive(pid), { state: () => `process ${pid} runs` });
}

/** Cuts bytes at any places. */
export function chunksOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

export interface LogLine {
  readonly level: string;
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

/** A logger that keeps what it is told. */
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
