import { resolve } from 'node:path';
import type { z } from 'zod';
import type { EndpointConfig } from '../../mcp/index.js';
import { expectedMessage, formatIssues, formatKey, type IssueLocation } from '../issues.js';
import {
  ENTRY_KEYS,
  httpServerSchema,
  type ServerOptions,
  stdioServerSchema,
  suggestServerOption,
  tcpServerSchema,
  wsServerSchema,
} from '../schema.js';

type EntryKind = 'stdio' | 'http' | 'ws' | 'tcp';

/** Location of a server entry in the configuration. */
export interface EntryLocation extends Omit<IssueLocation, 'hintFor'> {
  /** Absolute path that the working directory of a command is relative to. */
  readonly directory: string;
}

interface ParsedEntry {
  readonly endpoint: EndpointConfig;
  readonly options: ServerOptions;
}

const KIND_BY_TYPE: ReadonlyMap<unknown, EntryKind> = new Map([
  ['stdio', 'stdio'],
  ['http', 'http'],
  ['sse', 'http'],
  ['ws', 'ws'],
  ['tcp', 'tcp'],
]);

/** Returns the kind of an entry by its type, or by its other keys if it has no valid type. Null if none matches. */
function detectKind(entry: Readonly<Record<string, unknown>>): EntryKind | null {
  if ('command' in entry) return 'stdio';
  const { type, url } = entry;
  const kind = KIND_BY_TYPE.get(type);
  if (kind !== undefined) return kind;
  if (url !== undefined) return type === undefined && typeof url === 'string' && /^wss?:/i.test(url) ? 'ws' : 'http';
  return 'host' in entry || 'port' in entry ? 'tcp' : null;
}

function createEntrySchema(kind: EntryKind, directory: string): z.ZodType<ParsedEntry> {
  switch (kind) {
    case 'stdio':
      return stdioServerSchema.transform(({ command, args, cwd, env, swarmlens: options }) => ({
        endpoint: { type: 'stdio', command, args, cwd: resolve(directory, cwd), env },
        options,
      }));
    case 'http':
      return httpServerSchema.transform(({ type, url, headers, swarmlens: options }) => ({
        endpoint: { type, url, headers },
        options,
      }));
    case 'ws':
      return wsServerSchema.transform(({ url, headers, swarmlens: options }) => ({
        endpoint: { type: 'ws', url, headers },
        options,
      }));
    case 'tcp':
      return tcpServerSchema.transform(({ host, port, token = null, swarmlens: options }) => ({
        endpoint: { type: 'tcp', host, port, token },
        options,
      }));
  }
}

/** Removes the keys of an entry that other programs read. */
export function pickKnownKeys(entry: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(entry).filter(([name]) => ENTRY_KEYS.includes(name)));
}

/**
 * Parses an entry of `mcpServers`, or a replica, after the expansion of variables. Returns null if the entry is invalid
 * and added to `problems`.
 */
export function parseServerEntry(
  expanded: Readonly<Record<string, unknown>>,
  { directory, ...location }: EntryLocation,
  problems: string[],
): ParsedEntry | null {
  const kind = detectKind(expanded);
  if (kind === null) {
    problems.push(`${formatKey(location.path)}: expected "command", "url", or "host" and "port"`);
    return null;
  }
  const parsed = createEntrySchema(kind, directory).safeParse(expanded, { error: expectedMessage });
  if (parsed.success) return parsed.data;
  problems.push(...formatIssues(parsed.error, { ...location, hintFor: suggestServerOption }));
  return null;
}
