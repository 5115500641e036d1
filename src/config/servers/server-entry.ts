import { resolve } from 'node:path';
import type { z } from 'zod';
import type { EndpointConfig } from '../../mcp/index.js';
import { expectedMessage, formatKey, type IssueLocation, formatIssues } from '../issues.js';
import {
  ENTRY_KEYS,
  suggestServerOption,
  httpServerSchema,
  type serverOptionsSchema,
  stdioServerSchema,
  tcpServerSchema,
  wsServerSchema,
} from '../schema.js';

type EntryKind = 'stdio' | 'http' | 'ws' | 'tcp';

/** Where an entry stands, and what is known of it. */
export interface EntryLocation extends Omit<IssueLocation, 'hintFor'> {
  /** What a working directory is relative to; absolute. */
  readonly directory: string;
}

interface ReadEntry {
  readonly endpoint: EndpointConfig;
  readonly options: z.infer<typeof serverOptionsSchema>;
}

const KINDS: ReadonlyMap<unknown, EntryKind> = new Map([
  ['stdio', 'stdio'],
  ['http', 'http'],
  ['sse', 'http'],
  ['ws', 'ws'],
  ['tcp', 'tcp'],
]);

/** By its type or, where that is left out or none, by what else there is; `null`: there is nothing to go by. */
function kindOf(entry: Readonly<Record<string, unknown>>): EntryKind | null {
  if ('command' in entry) return 'stdio';
  const { type, url } = entry;
  const kind = KINDS.get(type);
  if (kind !== undefined) return kind;
  if (url !== undefined) return type === undefined && typeof url === 'string' && /^wss?:/i.test(url) ? 'ws' : 'http';
  return 'host' in entry || 'port' in entry ? 'tcp' : null;
}

/** @param directory what a working directory is relative to */
function shapeOf(kind: EntryKind, directory: string): z.ZodType<ReadEntry> {
  switch (kind) {
    case 'stdio':
      return stdioServerSchema.transform(({ command, args = [], cwd = '.', env = {}, swarmlens: options = {} }) => ({
        endpoint: { type: 'stdio', command, args, cwd: resolve(directory, cwd), env },
        options,
      }));
    case 'http':
      return httpServerSchema.transform(({ type = 'http', url, headers = {}, swarmlens: options = {} }) => ({
        endpoint: { type, url, headers },
        options,
      }));
    case 'ws':
      return wsServerSchema.transform(({ url, headers = {}, swarmlens: options = {} }) => ({
        endpoint: { type: 'ws', url, headers },
        options,
      }));
    case 'tcp':
      return tcpServerSchema.transform(({ host, port, token = null, swarmlens: options = {} }) => ({
        endpoint: { type: 'tcp', host, port, token },
        options,
      }));
  }
}

/** What of an entry is ours to read: other programs have keys of their own there. */
export function pickKnownKeys(entry: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(entry).filter(([name]) => ENTRY_KEYS.includes(name)));
}

/**
 * An entry, the environment filled in, or what is one but for its name: a replica.
 * @returns `null` when it is wrong, and then `problems` has grown
 */
export function parseServerEntry(
  filled: Readonly<Record<string, unknown>>,
  { directory, ...place }: EntryLocation,
  problems: string[],
): ReadEntry | null {
  const kind = kindOf(filled);
  if (kind === null) {
    problems.push(
      `${formatKey(place.path)}: expected "command" (a server to start), or "url", or "host" and "port" (one to reach)`,
    );
    return null;
  }
  const parsed = shapeOf(kind, directory).safeParse(filled, { error: expectedMessage });
  if (parsed.success) return parsed.data;
  problems.push(...formatIssues(parsed.error, { ...place, hintFor: suggestServerOption }));
  return null;
}
