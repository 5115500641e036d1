import { z } from 'zod';
import type { EndpointConfig } from '../../mcp/index.js';
import { didYouMean, formatKey, formatValue, valueAt } from '../issues.js';
import { ENTRY_KEYS, type ServerOptions } from '../schema.js';
import { type EntryLocation, parseServerEntry, pickKnownKeys } from './server-entry.js';

const looseSchema = z.looseObject({});

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
    const loose = looseSchema.safeParse(entry);
    if (!loose.success) {
      problems.push(
        `${formatKey(path)}: ${formatValue(input, path)} – expected an object with "command", "url" or "host"`,
      );
      return [];
    }
    if (loose.data['disabled'] === true) return [];
    const { swarmlens, ...endpoint } = loose.data;
    if (swarmlens !== undefined) {
      const key = [...path, 'swarmlens'];
      problems.push(
        `${formatKey(key)}: ${formatValue(swarmlens, key)} – not allowed, because a replica has the options of its server`,
      );
    }
    for (const unknownKey of Object.keys(endpoint)) {
      const hint = ENTRY_KEYS.includes(unknownKey) ? '' : didYouMean(unknownKey, ENTRY_KEYS);
      if (hint !== '') problems.push(`${formatKey([...path, unknownKey])}: unknown option${hint}`);
    }
    return parseServerEntry(pickKnownKeys(endpoint), { ...server, path, input }, problems)?.endpoint ?? [];
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
