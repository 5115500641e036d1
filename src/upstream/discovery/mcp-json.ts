import { join, resolve } from 'node:path';
import { z } from 'zod';
import { normalizeEntry, parseDocument, readServerLists, readTextFile } from '../../client-files/index.js';
import { guessServerType } from '../../adapters/index.js';
import { type DiscoveryCandidate, createCandidate, type NetworkEndpoint } from '../../model/index.js';
import { isThisMachine, endpointIdentity } from './endpoint-identity.js';

export const MCP_JSON_FILE = '.mcp.json';
const MAX_ENTRIES = 200;

const fileSchema = z.looseObject({}).catch({});
const entrySchema = z.looseObject({});
const fieldsSchema = z.looseObject({
  type: z.string().optional().catch(undefined),
  command: z.string().optional().catch(undefined),
  args: z.array(z.string()).optional().catch(undefined),
  cwd: z.string().optional().catch(undefined),
  url: z.string().optional().catch(undefined),
  host: z.string().optional().catch(undefined),
  port: z.number().optional().catch(undefined),
});

const ENTRY_KEYS = Object.keys(fieldsSchema.shape);

/** Entry of a `.mcp.json`. */
export interface McpJsonEntry {
  readonly candidate: DiscoveryCandidate;
  /** Identity of the endpoint, see `endpointIdentity`. Null if unknown. */
  readonly location: string | null;
  /** Endpoint that may be probed. Null if a probe could start a program or send data to another machine. */
  readonly endpoint: NetworkEndpoint | null;
}

/**
 * Reads the entries of the `.mcp.json` in a directory. Starts nothing and expands no variables, because the author of the
 * file could have them sent anywhere. Returns no entries if there is no such file.
 */
export async function readMcpJson(directory: string): Promise<readonly McpJsonEntry[]> {
  const place = join(directory, MCP_JSON_FILE);
  const text = await readTextFile(place).catch(() => null);
  if (text === null) return [];
  const { servers, keys } = readServerLists(fileSchema.parse(parseFile(text, place)));
  if (keys.length === 0)
    return [withoutEndpoint(createCandidate({ place, status: 'LISTED', detail: 'not a list of MCP servers' }))];
  return servers.slice(0, MAX_ENTRIES).map(({ id, entry }) => parseEntry(place, directory, id, entry));
}

function parseEntry(place: string, directory: string, name: string, input: unknown): McpJsonEntry {
  const entry = entrySchema.safeParse(input);
  const unusable = (detail: string): McpJsonEntry =>
    withoutEndpoint(createCandidate({ place, name, status: 'LISTED', detail }));
  if (!entry.success) return unusable('not an object');
  const { isDisabled, fields } = normalizeEntry(entry.data, { knownKeys: ENTRY_KEYS });
  const { type, command, args = [], cwd = '.', url, host, port } = fieldsSchema.parse(fields);
  if (command !== undefined) {
    const detail = isDisabled ? 'disabled in the file' : 'a command, which discovery does not start';
    const guessed = guessServerType(command, args);
    return {
      candidate: createCandidate({ place, name, status: 'LISTED', type: guessed, transport: 'STDIO', detail }),
      location: endpointIdentity({ command, args, cwd: resolve(directory, cwd) }),
      endpoint: null,
    };
  }
  const endpoint = toEndpoint(type, url, host, port);
  if (endpoint === null) return unusable('has neither a command nor a usable address');
  const hostname = endpoint.type === 'tcp' ? endpoint.host : new URL(endpoint.url).hostname;
  const reason = isDisabled
    ? 'disabled in the file'
    : isThisMachine(hostname)
      ? null
      : 'on another machine, which discovery does not probe';
  return {
    candidate: createCandidate({
      place,
      name,
      status: 'LISTED',
      transport: TRANSPORT_KIND_BY_TYPE[endpoint.type],
      detail: reason,
    }),
    location: endpointIdentity(endpoint),
    endpoint: reason === null ? endpoint : null,
  };
}

export const TRANSPORT_KIND_BY_TYPE = { http: 'HTTP', sse: 'SSE', tcp: 'TCP', ws: 'WS' } as const;

function toEndpoint(
  type: string | undefined,
  url: string | undefined,
  host: string | undefined,
  port: number | undefined,
): NetworkEndpoint | null {
  if (url === undefined) return host === undefined || port === undefined ? null : { type: 'tcp', host, port };
  if (!URL.canParse(url) || url.includes('${')) return null;
  const { protocol, username, password } = new URL(url);
  if (username !== '' || password !== '') return null;
  if (protocol === 'ws:' || protocol === 'wss:') return { type: 'ws', url };
  if (protocol !== 'http:' && protocol !== 'https:') return null;
  return { type: type === 'sse' ? 'sse' : 'http', url };
}

function withoutEndpoint(candidate: DiscoveryCandidate): McpJsonEntry {
  return { candidate, location: null, endpoint: null };
}

/** Returns null if the text is not JSON. */
function parseFile(text: string, path: string): unknown {
  try {
    return parseDocument(text, path).value;
  } catch {
    return null;
  }
}
