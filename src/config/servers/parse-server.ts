import { z } from 'zod';
import type { EndpointConfig } from '../../mcp/index.js';
import { isServerName } from '../../model/index.js';
import type { ServerConfig } from '../config.js';
import { type Environment, expandVariables } from '../expand-variables.js';
import { didYouMean, formatKey, formatValue } from '../issues.js';
import { ENTRY_KEYS, type ServerOptions, serverOptionsSchema } from '../schema.js';
import { backoffIssues, parseReplicas } from './parse-replicas.js';
import { parseServerEntry, pickKnownKeys } from './server-entry.js';

const DEFAULT_POLL_HZ = 60;
/** Default poll rate of servers with a mapping. It is low, because the cost of their tools is unknown. */
const MAPPED_POLL_HZ = 10;

/** Options of a server whose entry has no `swarmlens`. */
export const DEFAULT_SERVER_OPTIONS = toServerOptions(serverOptionsSchema.parse({}), []);

const looseSchema = z.looseObject({});

export interface ServerEntryContext {
  /** Directory of the configuration file, which `cwd` is relative to. */
  readonly directory: string;
  readonly env: Environment;
  /** Receives the values that replace variables, by name. */
  readonly variables: Map<string, string>;
}

/** Parses one entry of `mcpServers`. Returns null if it is disabled, or invalid and added to `problems`. */
export function parseServer(
  id: string,
  entry: unknown,
  { directory, env, variables }: ServerEntryContext,
  problems: string[],
): ServerConfig | null {
  const path = ['mcpServers', id];
  const key = formatKey(path);
  const problemsBefore = problems.length;
  const loose = looseSchema.safeParse(entry);
  if (!loose.success) {
    problems.push(`${key}: ${formatValue(entry, path)} – expected an object with "command", "url" or "host"`);
    return null;
  }
  if (loose.data['disabled'] === true) return null;
  if (!isServerName(id)) {
    problems.push(`${key}: expected a name of 1 to 64 characters without a colon or control characters`);
  }
  for (const unknownKey of Object.keys(loose.data)) {
    const hint = ENTRY_KEYS.includes(unknownKey) ? '' : didYouMean(unknownKey, ['swarmlens']);
    if (hint !== '') problems.push(`${formatKey([...path, unknownKey])}: unknown option${hint}`);
  }
  const unset = new Map<string, string>();
  const expanded = looseSchema.parse(
    expandVariables(pickKnownKeys(loose.data), path, env, { problems: unset, variables }),
  );
  const location = { path, input: entry, reported: new Set(unset.keys()), directory };
  problems.push(...unset.values());
  const parsed = parseServerEntry(expanded, location, problems);
  if (parsed === null) return null;
  const { endpoint, options } = parsed;
  const replicas = parseReplicas(options.replicas, location, problems);
  problems.push(...backoffIssues(options, path));
  if (problems.length > problemsBefore) return null;
  const { mapping, serverType = 'CUSTOM' } = options;
  if (mapping !== undefined && serverType !== 'CUSTOM') {
    problems.push(
      `${formatKey([...path, 'swarmlens', 'mapping'])}: is for servers of type CUSTOM, but "serverType" is ${serverType} – remove one of the two`,
    );
    return null;
  }
  return { id, endpoint, ...toServerOptions(options, replicas) };
}

function toServerOptions(
  { mapping, serverType, maxPollHz, sticky, ...options }: ServerOptions,
  replicas: readonly EndpointConfig[],
): Omit<ServerConfig, 'id' | 'endpoint'> {
  const isMapped = mapping !== undefined;
  return {
    ...options,
    serverType: serverType ?? (isMapped ? 'CUSTOM' : null),
    maxPollHz: maxPollHz ?? (isMapped ? MAPPED_POLL_HZ : DEFAULT_POLL_HZ),
    mapping: mapping ?? null,
    replicas,
    sticky: sticky ?? null,
  };
}
