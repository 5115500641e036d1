import { resolve } from 'node:path';
import type { z } from 'zod';
import type { EndpointConfig } from '../../mcp/index.js';
import {
  didYouMean,
  expectedMessage,
  formatIssues,
  formatKey,
  formatValue,
  type IssueLocation,
  valueAt,
} from '../issues.js';
import {
  httpServerSchema,
  type ServerOptions,
  stdioServerSchema,
  suggestServerOption,
  tcpServerSchema,
  TYPE_ERROR,
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

const KIND_BY_TYPE: ReadonlyMap<string, EntryKind> = new Map([
  ['stdio', 'stdio'],
  ['http', 'http'],
  ['sse', 'http'],
  ['ws', 'ws'],
  ['tcp', 'tcp'],
]);

const TYPES = [...KIND_BY_TYPE.keys()];

/** Returns the kind of an entry by its type, or by its other keys if it has none. Null if none matches. */
function detectKind(entry: Readonly<Record<string, unknown>>): EntryKind | null {
  if ('command' in entry) return 'stdio';
  const { type, url } = entry;
  const kind = typeof type === 'string' ? KIND_BY_TYPE.get(type) : undefined;
  if (kind !== undefined) return kind;
  if (url !== undefined) return type === undefined && typeof url === 'string' && /^wss?:/i.test(url) ? 'ws' : 'http';
  return 'host' in entry || 'port' in entry ? 'tcp' : null;
}

/** Returns the mistake in the type of an entry, or an entry without any address. Null if there is none. */
function kindProblem(
  entry: Readonly<Record<string, unknown>>,
  kind: EntryKind | null,
  { path, input, sourceKeys }: EntryLocation,
): string | null {
  const { type } = entry;
  const key = formatKey([...path, sourceKeys?.get('type') ?? 'type']);
  if (type !== undefined && !(typeof type === 'string' && KIND_BY_TYPE.has(type))) {
    const value = formatValue(valueAt(input, ['type']), [...path, 'type']);
    return `${key}: ${value} – ${TYPE_ERROR}${typeof type === 'string' ? didYouMean(type, TYPES) : ''}`;
  }
  if (kind === null) return `${formatKey(path)}: expected "command", "url", or "host" and "port"`;
  if (kind === 'stdio' && entry['command'] === undefined && entry['url'] !== undefined)
    return `${key}: is "stdio" – expected http, sse or ws, because there is a "url" and no "command"`;
  return null;
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

/** Mistakes of an entry, one line each. */
export interface EntryProblems {
  /** Mistakes in the keys that describe how to reach the server. They affect the entry only. */
  readonly entry: string[];
  /** Mistakes in `swarmlens`. They prevent the start. */
  readonly options: string[];
}

/**
 * Parses a normalized entry of a server list, or a replica, after the expansion of variables. Returns null if the entry is
 * invalid and added to `problems`.
 */
export function parseServerEntry(
  expanded: Readonly<Record<string, unknown>>,
  location: EntryLocation,
  problems: EntryProblems,
): ParsedEntry | null {
  const kind = detectKind(expanded);
  const problem = kindProblem(expanded, kind, location);
  if (problem !== null) problems.entry.push(problem);
  if (kind === null) return null;
  const parsed = createEntrySchema(kind, location.directory).safeParse(expanded, { error: expectedMessage });
  if (parsed.success) return problem === null ? parsed.data : null;
  const format = (isOption: boolean): string[] =>
    formatIssues(
      parsed.error.issues.filter(({ path: [field] }) => {
        // The type is reported above.
        return (field === 'swarmlens') === isOption && (problem === null || isOption);
      }),
      { ...location, hintFor: suggestServerOption },
    );
  problems.entry.push(...format(false));
  problems.options.push(...format(true));
  return null;
}
