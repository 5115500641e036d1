import { z } from 'zod';
import type { EndpointConfig } from '../../mcp/index.js';
import { type EntryLocation, pickKnownKeys, parseServerEntry } from './server-entry.js';
import { didYouMean, formatKey, formatValue, valueAt } from '../issues.js';
import { ENTRY_KEYS, type serverOptionsSchema } from '../schema.js';

const LOOSE = z.looseObject({});

/**
 * The entries of a server's `replicas`, the environment filled in: more endpoints of it. What is wrong is left out, and
 * `problems` has grown.
 * @param server where the server stands
 */
export function parseReplicas(
  entries: readonly unknown[],
  server: EntryLocation,
  problems: string[],
): EndpointConfig[] {
  return entries.flatMap((entry, index) => {
    const within = ['swarmlens', 'replicas', index];
    const path = [...server.path, ...within];
    const input = valueAt(server.input, within);
    const loose = LOOSE.safeParse(entry);
    if (!loose.success) {
      problems.push(
        `${formatKey(path)}: ${formatValue(input, path)} – expected an object with "command", "url" or "host"`,
      );
      return [];
    }
    if (loose.data['disabled'] === true) return [];
    const { swarmlens, ...own } = loose.data;
    if (swarmlens !== undefined) {
      const key = [...path, 'swarmlens'];
      problems.push(
        `${formatKey(key)}: ${formatValue(swarmlens, key)} – a replica has the options of its server: leave it out`,
      );
    }
    for (const other of Object.keys(own)) {
      const meant = ENTRY_KEYS.includes(other) ? '' : didYouMean(other, ENTRY_KEYS);
      if (meant !== '') problems.push(`${formatKey([...path, other])}: there is no such option${meant}`);
    }
    return parseServerEntry(pickKnownKeys(own), { ...server, path, input }, problems)?.endpoint ?? [];
  });
}

/** Pauses that would have to shrink in order to grow. */
export function backoffIssues(options: z.infer<typeof serverOptionsSchema>, path: readonly PropertyKey[]): string[] {
  return (['breaker', 'restart'] as const).flatMap((name) => {
    const { initialMs, maxMs } = { ...DEFAULT_PAUSES[name], ...omitUndefined(options[name] ?? {}) };
    if (initialMs <= maxMs) return [];
    const key = formatKey([...path, 'swarmlens', name, 'maxMs']);
    return [`${key}: is ${maxMs} – expected at least the ${initialMs} of "initialMs", from which pauses grow to it`];
  });
}

/** Of the rooms that pause; they have them by themselves. */
const DEFAULT_PAUSES = {
  breaker: { initialMs: 1_000, maxMs: 30_000 },
  restart: { initialMs: 500, maxMs: 30_000 },
};

/** Without what is there only as `undefined`: that would take the place of a default. */
export function omitUndefined<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  // Object.fromEntries loses the keys' types; they are those of `options`.
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
