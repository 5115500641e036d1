import { isTable, normalizeEntry } from '../../client-files/index.js';
import type { EndpointConfig } from '../../mcp/index.js';
import { formatKey, formatValue, valueAt } from '../issues.js';
import { ENTRY_KEYS, type ServerOptions } from '../schema.js';
import { type EntryLocation, parseServerEntry } from './server-entry.js';

/**
 * Parses the `replicas` of a server, after the expansion of variables. Leaves out invalid replicas and adds them to
 * `problems`.
 * @param server Location of the server in the configuration.
 */
export function parseReplicas(
  entries: readonly unknown[],
  server: EntryLocation,
  problems: string[],
): EndpointConfig[] {
  return entries.flatMap((entry, index) => {
    const relativePath = ['swarmlens', 'replicas', index];
    const path = [...server.path, ...relativePath];
    const input = valueAt(server.input, relativePath);
    if (!isTable(entry)) {
      problems.push(
        `${formatKey(path)}: ${formatValue(input, path)} – expected an object with "command", "url" or "host"`,
      );
      return [];
    }
    const { swarmlens, ...endpoint } = entry;
    const normalized = normalizeEntry(endpoint, { knownKeys: ENTRY_KEYS });
    if (normalized.isDisabled) return [];
    if (swarmlens !== undefined) {
      const key = [...path, 'swarmlens'];
      problems.push(
        `${formatKey(key)}: ${formatValue(swarmlens, key)} – not allowed, because a replica has the options of its server`,
      );
    }
    for (const { key, message } of [...normalized.obstacles, ...normalized.warnings])
      problems.push(`${formatKey([...path, key])}: ${message}`);
    const location = { ...server, path, input: normalized.fields, sourceKeys: normalized.sourceKeys };
    return parseServerEntry(normalized.fields, location, { entry: problems, options: problems })?.endpoint ?? [];
  });
}

/** Returns one line for each backoff whose maximum delay is shorter than its initial delay. */
export function backoffIssues(
  options: Pick<ServerOptions, 'breaker' | 'restart'>,
  path: readonly PropertyKey[],
): string[] {
  return (['breaker', 'restart'] as const).flatMap((name) => {
    const { initialMs, maxMs } = options[name];
    if (initialMs <= maxMs) return [];
    const key = formatKey([...path, 'swarmlens', name, 'maxMs']);
    return [`${key}: is ${maxMs} – expected at least the value of "initialMs", ${initialMs}`];
  });
}
