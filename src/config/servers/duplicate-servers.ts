import type { ServerConfig } from '../config.js';
import { formatKey } from '../issues.js';

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

/** A server's name, and the name of the one in front of it that it is the same as. */
interface Duplicate {
  readonly id: string;
  readonly of: string;
}

/**
 * Entries that are one server: the same command, arguments, directory and environment, or the same address and headers.
 * The first stays. What is a replica of a server is listed there, and is no entry.
 */
export function removeDuplicateServers(servers: readonly ServerConfig[]): {
  readonly servers: readonly ServerConfig[];
  readonly duplicates: readonly Duplicate[];
} {
  const kept = new Map<string, ServerConfig>();
  const duplicates: Duplicate[] = [];
  for (const server of servers) {
    const identity = identityOf(server.endpoint);
    const first = kept.get(identity);
    if (first === undefined) kept.set(identity, server);
    else duplicates.push({ id: server.id, of: first.id });
  }
  return { servers: [...kept.values()], duplicates };
}

export function duplicateWarning({ id, of }: Duplicate): string {
  return `${formatKey(['mcpServers', id])}: is the same server as ${formatKey(['mcpServers', of])}, and is watched as that one – leave one of them out, or give it an environment, headers or a token of its own`;
}

/** Who asks is part of it: another token, or another variable, may show another swarm. */
function identityOf(endpoint: ServerConfig['endpoint']): string {
  const parts = Object.entries(endpoint)
    .filter(([name]) => name !== 'type')
    .map(([name, value]: [string, unknown]) => [name, normal(name, value)]);
  return JSON.stringify(parts.sort());
}

function normal(name: string, value: unknown): unknown {
  if (name === 'host') return LOOPBACK.has(String(value).toLowerCase()) ? 'localhost' : String(value).toLowerCase();
  if (name === 'url') return normalUrl(String(value));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  // Names of headers are the same in any case; those of variables are not.
  const pairs = Object.entries(value).map(([key, one]) => [name === 'headers' ? key.toLowerCase() : key, String(one)]);
  return pairs.sort();
}

function normalUrl(text: string): string {
  const url = new URL(text);
  url.hash = '';
  if (LOOPBACK.has(url.hostname)) url.hostname = 'localhost';
  return url.href;
}
