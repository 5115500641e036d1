import type { ServerConfig } from '../config.js';
import { formatKey } from '../issues.js';
import { isLocalhost } from '../../shared/index.js';

/** Entry that describes the same server as an earlier one. */
interface Duplicate {
  readonly id: string;
  /** Id of the earlier entry. */
  readonly of: string;
}

/**
 * Keeps the first of all entries that describe the same server: those with the same command, arguments, directory and
 * environment, or with the same address and headers.
 */
export function removeDuplicateServers(servers: readonly ServerConfig[]): {
  readonly servers: readonly ServerConfig[];
  readonly duplicates: readonly Duplicate[];
} {
  const kept = new Map<string, ServerConfig>();
  const duplicates: Duplicate[] = [];
  for (const server of servers) {
    const identity = server.endpoint.type === 'unusable' ? server.id : toIdentity(server.endpoint);
    const first = kept.get(identity);
    if (first === undefined) kept.set(identity, server);
    else duplicates.push({ id: server.id, of: first.id });
  }
  return { servers: [...kept.values()], duplicates };
}

export function duplicateWarning({ id, of }: Duplicate): string {
  return `${formatKey(['mcpServers', id])}: is the same server as ${formatKey(['mcpServers', of])} and is ignored – remove one of the two, or give it its own environment, headers or token`;
}

/** Includes credentials and environment, because the server may show another swarm for others. */
function toIdentity(endpoint: ServerConfig['endpoint']): string {
  const parts = Object.entries(endpoint)
    .filter(([name]) => name !== 'type')
    .map(([name, value]: [string, unknown]) => [name, normalize(name, value)]);
  return JSON.stringify(parts.sort());
}

function normalize(name: string, value: unknown): unknown {
  if (name === 'host') return isLocalhost(String(value)) ? 'localhost' : String(value).toLowerCase();
  if (name === 'url') return normalizeUrl(String(value));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  // Header names are case-insensitive; variable names are not.
  const pairs = Object.entries(value).map(([key, item]) => [
    name === 'headers' ? key.toLowerCase() : key,
    String(item),
  ]);
  return pairs.sort();
}

function normalizeUrl(text: string): string {
  const url = new URL(text);
  url.hash = '';
  if (isLocalhost(url.hostname)) url.hostname = 'localhost';
  return url.href;
}
