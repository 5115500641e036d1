import { z } from 'zod';
import type { ServerConfig } from './config.js';
import { kindOf, shapeOf } from './entry.js';
import { expectation, hint, keyOf, problemsOf, show } from './problems.js';
import { ENTRY_KEYS, hintForServer } from './schema.js';
import { type Environment, fillIn } from './variables.js';

export const SERVER_DEFAULTS = { maxPollHz: 60, maxPollShare: 0.5, timeoutMs: 3_000, connectTimeoutMs: 30_000 };

/** What a call costs a server that nobody here knows, nobody here knows. */
const MAPPED_POLL_HZ = 10;

const LOOSE = z.looseObject({});

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
    problems.push(`${key}: ${show(entry, path)} – expected an object with "command", "url" or "host"`);
    return null;
  }
  if (loose.data['disabled'] === true) return null;
  if (!/^[^:\p{Cc}]{1,64}$/u.test(id)) {
    problems.push(`${key}: a server's name has 1 to 64 characters, no colon and no control character`);
  }
  for (const other of Object.keys(loose.data)) {
    const meant = ENTRY_KEYS.includes(other) ? '' : hint(other, ['swarmlens']);
    if (meant !== '') problems.push(`${keyOf([...path, other])}: there is no such option${meant}`);
  }
  const unset = new Map<string, string>();
  const ours = Object.fromEntries(Object.entries(loose.data).filter(([name]) => ENTRY_KEYS.includes(name)));
  const filled = LOOSE.parse(fillIn(ours, path, env, unset));
  const kind = kindOf(filled);
  if (kind === null) {
    problems.push(`${key}: expected "command" (a server to start), or "url", or "host" and "port" (one to reach)`);
    return null;
  }
  const parsed = shapeOf(kind, directory).safeParse(filled, { error: expectation });
  problems.push(...unset.values());
  if (!parsed.success) {
    problems.push(
      ...problemsOf(parsed.error, { path, input: entry, reported: new Set(unset.keys()), hintFor: hintForServer }),
    );
    return null;
  }
  if (problems.length > before) return null;
  const { endpoint, options } = parsed.data;
  const { mapping, serverType = mapping === undefined ? null : 'CUSTOM' } = options;
  if (mapping !== undefined && serverType !== 'CUSTOM') {
    problems.push(
      `${keyOf([...path, 'swarmlens', 'mapping'])}: is for servers of the type CUSTOM, and "serverType" is ${serverType ?? 'none'} – leave one of them out`,
    );
    return null;
  }
  return {
    id,
    endpoint,
    serverType,
    maxPollShare: options.maxPollShare ?? SERVER_DEFAULTS.maxPollShare,
    maxPollHz: options.maxPollHz ?? (mapping === undefined ? SERVER_DEFAULTS.maxPollHz : MAPPED_POLL_HZ),
    allowTools: options.allowTools ?? [],
    timeoutMs: options.timeoutMs ?? SERVER_DEFAULTS.timeoutMs,
    connectTimeoutMs: options.connectTimeoutMs ?? SERVER_DEFAULTS.connectTimeoutMs,
    ...(mapping === undefined ? {} : { mapping }),
  };
}
