import { once } from 'node:events';
import { connect } from 'node:net';
import { detectServerType } from '../adapters/index.js';
import { SPEAKS_HTTP } from '../mcp/index.js';
import { printable } from '../sanitize/index.js';
import { type Clock, messageOf, scheduleDeadline } from '../shared/index.js';
import type { Logger } from '../telemetry/index.js';
import { type Candidate, candidate, type Greeting, type NetworkEndpoint } from './candidate.js';
import { type Listed, readMcpJson, TRANSPORTS } from './file.js';
import { greet, isAboutCredentials, RefusalError } from './greet.js';
import { type Located, locationOf } from './location.js';

export interface DiscoverOptions {
  /** Whose `.mcp.json` is looked at; `null`: no file is. */
  readonly directory: string | null;
  readonly hosts: readonly string[];
  readonly ports: readonly number[];
  /** The configured servers: they are told as such, and not asked. */
  readonly known: readonly {
    readonly id: string;
    readonly endpoint: Located;
    readonly replicas?: readonly Located[];
  }[];
  /** The file that they stand in, if there is one; absolute. */
  readonly configFile: string | null;
  /** Of ourselves; not looked at. */
  readonly own: Located | null;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Of one attempt to greet what listens somewhere; there are up to four for a port. */
const ATTEMPT_MS = 1_000;
/** For a connection, on this machine or a near one. */
export const CONNECT_MS = 500;

/** Of VisionFlow's relay. */
const WEBSOCKET_PORT = 3002;
/** Messages of servers may be whole pages. */
const MAX_DETAIL_LENGTH = 160;
/** Of names of servers, tools and capabilities. */
const MAX_NAME_LENGTH = 256;
const MAX_NAMES = 10_000;

/** Looks at the usual places and says what is there. Starts nothing; takes at most five seconds. */
export async function discover(options: DiscoverOptions): Promise<readonly Candidate[]> {
  const known = new Map(
    options.known.flatMap(({ id, endpoint, replicas = [] }) => {
      return [endpoint, ...replicas].map((one) => [locationOf(one), id] as const);
    }),
  );
  const own = options.own === null ? null : locationOf(options.own);
  const { directory } = options;
  const all = directory === null ? [] : await readMcpJson(directory);
  const listed = all.filter(({ location }) => location === null || location !== own);
  const ofFile = await Promise.all(listed.map((one) => lookAtListed(one, known, options)));
  // A server that stands in the file and listens on a usual port is one.
  const seen = new Set(
    listed.flatMap(({ location }, index) => (ofFile[index]?.status === 'NOT_MCP' ? [] : (location ?? []))),
  );
  const ports = options.hosts.flatMap((host) => options.ports.map((port) => ({ host, port })));
  const ofPorts = await Promise.all(
    ports.map(async ({ host, port }) => {
      const location = locationOf({ host, port });
      if (location === own || seen.has(location)) return null;
      seen.add(location);
      const serverId = known.get(location);
      const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
      if (serverId !== undefined) return candidate({ place, status: 'CONFIGURED', serverId });
      return lookAtPort(host, port, place, options);
    }),
  );
  return [...ofFile, ...ofPorts.filter((one) => one !== null)];
}

async function lookAtListed(
  { candidate: one, location, endpoint }: Listed,
  known: ReadonlyMap<string, string>,
  options: DiscoverOptions,
): Promise<Candidate> {
  // In the configuration itself variables have been filled in, so that a command may differ.
  const isSame = one.place === options.configFile && options.known.some(({ id }) => id === one.name);
  const serverId = isSame ? one.name : location === null ? null : (known.get(location) ?? null);
  if (serverId !== null) return { ...one, status: 'CONFIGURED', serverId, detail: null };
  if (endpoint === null) return one;
  const outcome = await attempt(endpoint, options);
  if (!(outcome instanceof Error)) return { ...one, ...found(outcome), name: one.name, status: 'AVAILABLE' };
  const detail = cut(messageOf(outcome));
  const { host, port } = addressOf(endpoint);
  const isThere = isAboutCredentials(detail) || (await isListening(host, port, options));
  return { ...one, status: isAboutCredentials(detail) ? 'REFUSED' : isThere ? 'NOT_MCP' : 'UNREACHABLE', detail };
}

/** @returns `null` when nothing listens there */
async function lookAtPort(
  host: string,
  port: number,
  place: string,
  options: DiscoverOptions,
): Promise<Candidate | null> {
  if (!(await isListening(host, port, options))) return null;
  let detail: string | null = null;
  for (const endpoint of endpointsOf(place, host, port)) {
    const outcome = await attempt(endpoint, options);
    const transport = TRANSPORTS[endpoint.type];
    if (!(outcome instanceof Error)) {
      return candidate({ place, ...found(outcome), transport, status: 'AVAILABLE', entry: endpoint });
    }
    const said = cut(messageOf(outcome));
    if (isAboutCredentials(said))
      return candidate({ place, status: 'REFUSED', transport, detail: said, entry: endpoint });
    if (!said.endsWith(SPEAKS_HTTP)) detail ??= said;
    if (outcome instanceof RefusalError) break;
  }
  return candidate({ place, status: 'NOT_MCP', detail });
}

/** A server that speaks HTTP answers a line of JSON at once; one that does not may never answer HTTP. */
function endpointsOf(place: string, host: string, port: number): readonly NetworkEndpoint[] {
  const tcp = { type: 'tcp', host, port } as const;
  const http = { type: 'http', url: `http://${place}/mcp` } as const;
  const sse = { type: 'sse', url: `http://${place}/sse` } as const;
  const ws = { type: 'ws', url: `ws://${place}/` } as const;
  return port === WEBSOCKET_PORT ? [tcp, ws, http, sse] : [tcp, http, sse, ws];
}

function cut(message: string): string {
  const words = printable(message, MAX_DETAIL_LENGTH + 1);
  return words.length > MAX_DETAIL_LENGTH ? `${words.slice(0, MAX_DETAIL_LENGTH)}…` : words;
}

function attempt(endpoint: NetworkEndpoint, { clock, logger, signal }: DiscoverOptions): Promise<Greeting | Error> {
  return greet(endpoint, { clock, logger, signal, timeoutMs: ATTEMPT_MS }).catch((error: unknown) =>
    error instanceof Error ? error : new Error(String(error)),
  );
}

async function isListening(host: string, port: number, { clock, signal }: DiscoverOptions): Promise<boolean> {
  if (signal.aborted) return false;
  const late = new AbortController();
  const abort = (): void => late.abort();
  using _timer = scheduleDeadline(clock, CONNECT_MS, abort);
  signal.addEventListener('abort', abort, { once: true });
  const socket = connect({ host, port });
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect', { signal: late.signal });
    return true;
  } catch {
    return false;
  } finally {
    signal.removeEventListener('abort', abort);
    socket.destroy();
  }
}

/** What listens there is nobody's choice: what it says of itself is cut and cleaned. */
function found(greeting: Greeting): Partial<Candidate> {
  const line = (text: string): string => printable(text, MAX_NAME_LENGTH);
  const name = line(greeting.name);
  const version = greeting.version === null ? null : line(greeting.version);
  const capabilities = greeting.capabilities.slice(0, MAX_NAMES).map(line);
  const tools = greeting.tools.slice(0, MAX_NAMES).map(line);
  return { name, version, capabilities, tools, type: detectServerType({ name, tools }), detail: null };
}

function addressOf(endpoint: NetworkEndpoint): { readonly host: string; readonly port: number } {
  if (endpoint.type === 'tcp') return endpoint;
  const { hostname, port, protocol } = new URL(endpoint.url);
  const preset = protocol === 'https:' || protocol === 'wss:' ? 443 : 80;
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? preset : Number(port) };
}
