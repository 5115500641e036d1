import { z } from 'zod';
import { isServerName } from '../../model/index.js';
import type { ServerConfig } from '../config.js';
import { pickKnownKeys, parseServerEntry } from './server-entry.js';
import { didYouMean, formatKey, formatValue } from '../issues.js';
import { omitUndefined, parseReplicas, backoffIssues } from './parse-replicas.js';
import { ENTRY_KEYS } from '../schema.js';
import { type Environment, expandVariables } from '../expand-variables.js';

export const SERVER_DEFAULTS = { maxPollHz: 60, maxPollShare: 0.5, timeoutMs: 3_000, connectTimeoutMs: 30_000 };

/** What a call costs a server that nobody here knows, nobody here knows. */
const MAPPED_POLL_HZ = 10;

const LOOSE = z.looseObject({});

export interface ServerEntryContext {
  /** Of the file: what `cwd` is relative to. */
  readonly directory: string;
  readonly env: Environment;
}

/** One entry of `mcpServers`; `null` when it is disabled or wrong, and then `problems` has grown. */
export function parseServer(
  id: string,
  entry: unknown,
  { directory, env }: ServerEntryContext,
  problems: string[],
): ServerConfig | null {
  const path = ['mcpServers', id];
  const key = formatKey(path);
  const before = problems.length;
  const loose = LOOSE.safeParse(entry);
  if (!loose.success) {
    problems.push(`${key}: ${formatValue(entry, path)} – expected an object with "command", "url" or "host"`);
    return null;
  }
  if (loose.data['disabled'] === true) return null;
  if (!isServerName(id)) {
    problems.push(`${key}: a server's name has 1 to 64 characters, no colon and no control character`);
  }
  for (const other of Object.keys(loose.data)) {
    const meant = ENTRY_KEYS.includes(other) ? '' : didYouMean(other, ['swarmlens']);
    if (meant !== '') problems.push(`${formatKey([...path, other])}: there is no such option${meant}`);
  }
  const unset = new Map<string, string>();
  const filled = LOOSE.parse(expandVariables(pickKnownKeys(loose.data), path, env, unset));
  const place = { path, input: entry, reported: new Set(unset.keys()), directory };
  problems.push(...unset.values());
  const read = parseServerEntry(filled, place, problems);
  if (read === null) return null;
  const { endpoint, options } = read;
  const replicas = parseReplicas(options.replicas ?? [], place, problems);
  problems.push(...backoffIssues(options, path));
  if (problems.length > before) return null;
  const { mapping, serverType = mapping === undefined ? null : 'CUSTOM' } = options;
  if (mapping !== undefined && serverType !== 'CUSTOM') {
    problems.push(
      `${formatKey([...path, 'swarmlens', 'mapping'])}: is for servers of the type CUSTOM, and "serverType" is ${serverType ?? 'none'} – leave one of them out`,
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
    ...(replicas.length === 0 ? {} : { replicas }),
    ...(options.sticky === undefined ? {} : { sticky: options.sticky }),
    ...(options.breaker === undefined ? {} : { breaker: omitUndefined(options.breaker) }),
    ...(options.restart === undefined ? {} : { restart: omitUndefined(options.restart) }),
  };
}
