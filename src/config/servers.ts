import { resolve } from 'node:path';
import { z } from 'zod';
import type { EndpointConfig } from '../mcp/index.js';
import { isServerName } from '../shared/index.js';
import type { ServerConfig } from './config.js';
import { expectation, hint, keyOf, problemsOf, show } from './problems.js';
import { ENTRY_KEYS, hintForServer, HTTP_SERVER, STDIO_SERVER } from './schema.js';
import { type Environment, fillIn } from './variables.js';

export const SERVER_DEFAULTS = { maxPollHz: 60, maxPollShare: 0.5, timeoutMs: 3_000, connectTimeoutMs: 30_000 };

/** What a call costs a server that nobody here knows, nobody here knows. */
const MAPPED_POLL_HZ = 10;

const LOOSE = z.looseObject({});
const COMING = ['tcp', 'ws'];

export interface EntryContext {
  /** Of the file: what `cwd` is relative to. */
  readonly directory: string;
  readonly env: Environment;
}

/** One entry of `mcpServers`; `null` when it is disabled or wrong, and then `problems` has grown. */
export function parseServer(
  id: string,
  entry: unknown,
  { directory, env }: EntryContext,
  problems: string[],
): ServerConfig | null {
  const path = ['mcpServers', id];
  const key = keyOf(path);
  const before = problems.length;
  const loose = LOOSE.safeParse(entry);
  if (!loose.success) {
    problems.push(`${key}: ${show(entry, path)} – expected an object with "command" or "url"`);
    return null;
  }
  if (loose.data['disabled'] === true) return null;
  if (!isServerName(id)) {
    problems.push(`${key}: a server's name has 1 to 64 characters, no colon and no control character`);
  }
  for (const other of Object.keys(loose.data)) {
    const meant = ENTRY_KEYS.includes(other) ? '' : hint(other, ['swarmlens']);
    if (meant !== '') problems.push(`${keyOf([...path, other])}: there is no such option${meant}`);
  }
  const { type } = loose.data;
  if (typeof type === 'string' && COMING.includes(type)) {
    problems.push(`${key}.type: is "${type}" – not supported yet by this version: use stdio, http or sse`);
    return null;
  }
  const isCommand = 'command' in loose.data || type === 'stdio';
  if (!isCommand && !('url' in loose.data)) {
    problems.push(`${key}: expected "command" (a server to start) or "url" (one to reach)`);
    return null;
  }
  const unset = new Map<string, string>();
  const ours = Object.fromEntries(Object.entries(loose.data).filter(([name]) => ENTRY_KEYS.includes(name)));
  const shape = isCommand ? STDIO_SERVER : HTTP_SERVER;
  const parsed = shape.safeParse(fillIn(ours, path, env, unset), { error: expectation });
  problems.push(...unset.values());
  if (!parsed.success) {
    problems.push(
      ...problemsOf(parsed.error, { path, input: entry, reported: new Set(unset.keys()), hintFor: hintForServer }),
    );
    return null;
  }
  if (problems.length > before) return null;
  const options = parsed.data.swarmlens ?? {};
  const { mapping, serverType = mapping === undefined ? null : 'CUSTOM' } = options;
  if (mapping !== undefined && serverType !== 'CUSTOM') {
    problems.push(
      `${keyOf([...path, 'swarmlens', 'mapping'])}: is for servers of the type CUSTOM, and "serverType" is ${serverType ?? 'none'} – leave one of them out`,
    );
    return null;
  }
  return {
    id,
    endpoint: endpointOf(parsed.data, directory),
    serverType,
    maxPollShare: options.maxPollShare ?? SERVER_DEFAULTS.maxPollShare,
    maxPollHz: options.maxPollHz ?? (mapping === undefined ? SERVER_DEFAULTS.maxPollHz : MAPPED_POLL_HZ),
    allowTools: options.allowTools ?? [],
    timeoutMs: options.timeoutMs ?? SERVER_DEFAULTS.timeoutMs,
    connectTimeoutMs: options.connectTimeoutMs ?? SERVER_DEFAULTS.connectTimeoutMs,
    ...(mapping === undefined ? {} : { mapping }),
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
