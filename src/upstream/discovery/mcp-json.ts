import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { guessServerType } from '../../adapters/index.js';
import { type DiscoveryCandidate, createCandidate, type NetworkEndpoint } from '../../model/index.js';
import { isLoopback, endpointIdentity } from './endpoint-identity.js';

export const MCP_JSON_FILE = '.mcp.json';
const MAX_FILE_BYTES = 1_000_000;
const MAX_ENTRIES = 200;

const FILE = z.looseObject({ mcpServers: z.record(z.string(), z.unknown()) });
const ENTRY = z.looseObject({
  type: z.string().optional().catch(undefined),
  command: z.string().optional().catch(undefined),
  args: z.array(z.string()).optional().catch(undefined),
  cwd: z.string().optional().catch(undefined),
  url: z.string().optional().catch(undefined),
  host: z.string().optional().catch(undefined),
  port: z.number().optional().catch(undefined),
  disabled: z.unknown().optional(),
});

/** An entry of a file that was found. */
export interface McpJsonEntry {
  readonly candidate: DiscoveryCandidate;
  /** See `locationOf`; `null` when that is not known. */
  readonly location: string | null;
  /** Where it may be asked without being told of anything but ourselves. */
  readonly endpoint: NetworkEndpoint | null;
}

/**
 * What a project's `.mcp.json` lists. Nothing of it is started; no variable is filled in, because whoever wrote the file
 * would choose which of ours goes where.
 * @returns none when there is no such file
 */
export async function readMcpJson(directory: string): Promise<readonly McpJsonEntry[]> {
  const place = join(directory, MCP_JSON_FILE);
  const text = await read(place);
  if (text === null) return [];
  const file = FILE.safeParse(parsed(text));
  if (!file.success)
    return [listed(createCandidate({ place, status: 'LISTED', detail: 'it is no list of MCP servers' }))];
  return Object.entries(file.data.mcpServers)
    .slice(0, MAX_ENTRIES)
    .map(([name, entry]) => ofEntry(place, directory, name, entry));
}

function ofEntry(place: string, directory: string, name: string, input: unknown): McpJsonEntry {
  const entry = ENTRY.safeParse(input);
  const bare = (detail: string): McpJsonEntry => listed(createCandidate({ place, name, status: 'LISTED', detail }));
  if (!entry.success) return bare('it is no object');
  const { type, command, args = [], cwd = '.', url, host, port, disabled } = entry.data;
  if (command !== undefined) {
    const detail = disabled === true ? 'disabled in the file' : 'a command, which is not started unasked';
    const guessed = guessServerType(command, args);
    return {
      candidate: createCandidate({ place, name, status: 'LISTED', type: guessed, transport: 'STDIO', detail }),
      location: endpointIdentity({ command, args, cwd: resolve(directory, cwd) }),
      endpoint: null,
    };
  }
  const endpoint = endpointOf(type, url, host, port);
  if (endpoint === null) return bare('it has neither a command nor an address that can be used');
  const hostname = endpoint.type === 'tcp' ? endpoint.host : new URL(endpoint.url).hostname;
  const why =
    disabled === true ? 'disabled in the file' : isLoopback(hostname) ? null : 'on another machine, which is not asked';
  return {
    candidate: createCandidate({
      place,
      name,
      status: 'LISTED',
      transport: TRANSPORT_KIND_BY_TYPE[endpoint.type],
      detail: why,
    }),
    location: endpointIdentity(endpoint),
    endpoint: why === null ? endpoint : null,
  };
}

export const TRANSPORT_KIND_BY_TYPE = { http: 'HTTP', sse: 'SSE', tcp: 'TCP', ws: 'WS' } as const;

function endpointOf(
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

function listed(one: DiscoveryCandidate): McpJsonEntry {
  return { candidate: one, location: null, endpoint: null };
}

async function read(path: string): Promise<string | null> {
  try {
    await using file = await open(path, 'r');
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(MAX_FILE_BYTES), position: 0 });
    return buffer.toString('utf8', 0, bytesRead);
  } catch {
    return null;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return null;
  }
}
