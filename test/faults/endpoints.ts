import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ServerConfig } from '../../src/config/index.js';
import type { EndpointConfig } from '../../src/mcp/index.js';
import { serverConfig } from '../support/app.js';
import type { FaultyServer } from './faulty-server.js';
import { LIST_TOOLS } from './own-lists.js';

/** Longer than any answer takes on a slow machine: no call and no start times out unless a test asks for it. */
export const MAX_ANSWER_MS = 600_000;

/** Pauses between attempts to start or reach a server that a test lets fail: short, without an end. */
export const QUICK_RESTART = { initialMs: 50, maxMs: 1_000, maxAttempts: null } as const;

/** A faulty server that swarmlens starts, as often as it likes. */
export function overStdio(server: FaultyServer, overrides: Partial<ServerConfig> = {}): ServerConfig {
  return serverConfig(server.name, server.args, {
    allowTools: LIST_TOOLS[server.life.type],
    timeoutMs: MAX_ANSWER_MS,
    connectTimeoutMs: MAX_ANSWER_MS,
    ...overrides,
  });
}

/** A faulty server that swarmlens reaches through its front. */
export function overNetwork(
  server: FaultyServer,
  kind: 'http' | 'tcp',
  overrides: Partial<ServerConfig> = {},
): ServerConfig {
  const [host, { port }] = ['127.0.0.1', server];
  const endpoint: EndpointConfig =
    kind === 'tcp'
      ? { type: kind, host, port, token: null }
      : { type: kind, url: `http://${host}:${port}/mcp`, headers: {} };
  return { ...overStdio(server, overrides), endpoint };
}

/** Starts a faulty server with a front; resolves when it listens. */
export async function startWithFront(server: FaultyServer, kind: 'tcp' | 'http'): Promise<AsyncDisposable> {
  const child = spawn(process.execPath, [...server.args, '--front', kind], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'exit');
  const failure = (): string | null =>
    child.exitCode === null && child.signalCode === null
      ? null
      : `${server.name} ended with ${child.signalCode ?? `exit code ${child.exitCode}`}`;
  const before = server.incarnations;
  await server.until(() => server.incarnations > before && server.isListening, failure);
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
