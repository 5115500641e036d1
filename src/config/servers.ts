import { resolve } from 'node:path';
import { z } from 'zod';
import type { EndpointConfig } from '../mcp/index.js';
import type { ServerConfig } from './config.js';
import { problemsOf, show } from './problems.js';
import { HTTP_SERVER, STDIO_SERVER } from './schema.js';

export const SERVER_DEFAULTS = { maxPollHz: 60, timeoutMs: 3_000, connectTimeoutMs: 30_000 };

const LOOSE = z.looseObject({});
const COMING = ['tcp', 'ws'];

/** One entry of `mcpServers`; `null` when it is disabled or wrong, and then `problems` has grown. */
export function parseServer(id: string, entry: unknown, directory: string, problems: string[]): ServerConfig | null {
  const path = ['mcpServers', id];
  const before = problems.length;
  if (!/^[^:\p{Cc}]{1,64}$/u.test(id)) {
    problems.push(`mcpServers.${JSON.stringify(id)}: a server's name has 1 to 64 characters and no colon`);
  }
  const loose = LOOSE.safeParse(entry);
  if (!loose.success) {
    problems.push(`mcpServers.${id}: ${show(entry, path)} – expected an object with "command" or "url"`);
    return null;
  }
  const { type, disabled } = loose.data;
  if (disabled === true) return null;
  if (typeof type === 'string' && COMING.includes(type)) {
    problems.push(`mcpServers.${id}.type: is "${type}" – this version supports stdio, http and sse`);
    return null;
  }
  const shape = 'command' in loose.data || type === 'stdio' ? STDIO_SERVER : HTTP_SERVER;
  if (!('command' in loose.data) && !('url' in loose.data)) {
    problems.push(`mcpServers.${id}: expected "command" (a server to start) or "url" (one to reach)`);
    return null;
  }
  const parsed = shape.safeParse(entry);
  if (!parsed.success) {
    problems.push(...problemsOf(parsed.error, path, entry));
    return null;
  }
  if (problems.length > before) return null;
  const options = parsed.data.swarmlens ?? {};
  return {
    id,
    endpoint: endpointOf(parsed.data, directory),
    serverType: options.serverType ?? null,
    maxPollHz: options.maxPollHz ?? SERVER_DEFAULTS.maxPollHz,
    allowTools: options.allowTools ?? [],
    timeoutMs: options.timeoutMs ?? SERVER_DEFAULTS.timeoutMs,
    connectTimeoutMs: options.connectTimeoutMs ?? SERVER_DEFAULTS.connectTimeoutMs,
  };
}

function endpointOf(
  entry: z.infer<typeof STDIO_SERVER> | z.infer<typeof HTTP_SERVER>,
  directory: string,
): EndpointConfig {
  if (isStdio(entry)) {
    const { command, args = [], cwd = '.', env = {} } = entry;
    return { type: 'stdio', command, args, cwd: resolve(directory, cwd), env };
  }
  return { type: entry.type ?? 'http', url: entry.url, headers: entry.headers ?? {} };
}

function isStdio(
  entry: z.infer<typeof STDIO_SERVER> | z.infer<typeof HTTP_SERVER>,
): entry is z.infer<typeof STDIO_SERVER> {
  return 'command' in entry;
}
