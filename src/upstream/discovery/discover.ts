import { once } from 'node:events';
import { connect } from 'node:net';
import { detectServerType } from '../../adapters/index.js';
import { SPEAKS_HTTP_MESSAGE, TransportError } from '../../mcp/index.js';
import { collectSecrets, SecretRedactor, toPrintableLine } from '../../shared/sanitize/index.js';
import { type Clock, errorMessage, scheduleDeadline, type Logger } from '../../shared/index.js';
import type { CodingAgent } from '../../observer-format/index.js';
import {
  type DiscoveryCandidate,
  createCandidate,
  DEFAULT_PROBE_TIMEOUT_MS,
  type ProbeResult,
  type NetworkEndpoint,
} from '../../model/index.js';
import { createGuard, type Guard } from '../guard/guard.js';
import { GUARD_DEFAULTS, type GuardOptions } from '../guard/guard-options.js';
import { discoverCodingAgents } from './coding-agents.js';
import { type McpJsonEntry, readMcpJson, TRANSPORT_KIND_BY_TYPE } from './mcp-json.js';
import { probeEndpoint, isAuthenticationError, ProbeRejectedError } from './probe-endpoint.js';
import { type EndpointLocation, endpointIdentity } from './endpoint-identity.js';

export interface DiscoverOptions {
  /** Directory whose `.mcp.json` is read. Null reads no file. */
  readonly directory: string | null;
  readonly hosts: readonly string[];
  readonly ports: readonly number[];
  /** Coding agents, which are listed if they are installed. @default none */
  readonly codingAgents?: readonly CodingAgent[];
  /** Configured servers, which are listed without a probe. */
  readonly known: readonly {
    readonly id: string;
    readonly endpoint: EndpointLocation;
    readonly replicas?: readonly EndpointLocation[];
  }[];
  /** Absolute path of the configuration file. Null if there is none. */
  readonly configFile: string | null;
  /** Location of this swarmlens, which is left out. */
  readonly self: EndpointLocation | null;
  /** Time limit of one probe in milliseconds. @default 10000 */
  readonly probeTimeoutMs?: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Time in milliseconds without an outcome after which a port is also probed with the next transport. */
const NEXT_TRANSPORT_MS = 1_000;
/** Options of the guard of one place. Its circuit breaker opens after three failures of each transport. */
const PROBE_GUARD_OPTIONS: Omit<GuardOptions, 'timeoutMs'> = {
  ...GUARD_DEFAULTS,
  maxConcurrent: 4,
  breakerThreshold: 12,
  breakerBackoffMs: { initial: 10_000, max: 10_000 },
};
/** Timeout of a TCP connection in milliseconds. */
export const CONNECT_TIMEOUT_MS = 500;

/** Port of VisionFlow's WebSocket relay. */
const WEBSOCKET_PORT = 3002;
/** Maximum length of a candidate's detail, because error messages of servers may be whole pages. */
const MAX_DETAIL_LENGTH = 160;
/** Maximum length of the names of servers, tools and capabilities. */
const MAX_NAME_LENGTH = 256;
const MAX_NAMES = 10_000;

/**
 * Probes the `.mcp.json` of a directory and well-known ports for MCP servers, and looks for coding agents that can be observed.
 * Starts nothing.
 */
export async function discoverServers(options: DiscoverOptions): Promise<readonly DiscoveryCandidate[]> {
  const known = new Map(
    options.known.flatMap(({ id, endpoint, replicas = [] }) => {
      return [endpoint, ...replicas].map((location) => [endpointIdentity(location), id] as const);
    }),
  );
  const self = options.self === null ? null : endpointIdentity(options.self);
  const { directory } = options;
  const allEntries = directory === null ? [] : await readMcpJson(directory);
  const entries = allEntries.filter(({ location }) => location === null || location !== self);
  const fromFile = await Promise.all(entries.map((entry) => probeEntry(entry, known, options)));
  // A server that the file lists and that listens on a probed port is one candidate.
  const visited = new Set(
    entries.flatMap(({ location }, index) => (fromFile[index]?.status === 'NOT_MCP' ? [] : (location ?? []))),
  );
  const addresses = options.hosts.flatMap((host) => options.ports.map((port) => ({ host, port })));
  const fromPorts = await Promise.all(
    addresses.map(async ({ host, port }) => {
      const location = endpointIdentity({ host, port });
      if (location === self || visited.has(location)) return null;
      visited.add(location);
      const serverId = known.get(location);
      const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
      if (serverId !== undefined) return createCandidate({ place, status: 'CONFIGURED', serverId });
      return probePort(host, port, place, options);
    }),
  );
  const agents = await discoverCodingAgents(options.codingAgents ?? [], options.known);
  return [...fromFile, ...fromPorts.filter((candidate) => candidate !== null), ...agents];
}

async function probeEntry(
  { candidate, location, endpoint }: McpJsonEntry,
  known: ReadonlyMap<string, string>,
  options: DiscoverOptions,
): Promise<DiscoveryCandidate> {
  const { place, name } = candidate;
  // In the configuration file itself, the expansion of variables may have changed the location.
  const isConfigured = place === options.configFile && options.known.some(({ id }) => id === name);
  const serverId = isConfigured ? name : location === null ? null : (known.get(location) ?? null);
  if (serverId !== null) return { ...candidate, status: 'CONFIGURED', serverId, detail: null };
  if (endpoint === null) return candidate;
  using guard = createProbeGuard(options);
  const result = await tryProbe(endpoint, guard, options);
  if (!(result instanceof Error)) return { ...candidate, ...describeServer(result), name, status: 'AVAILABLE' };
  // The file may contain other secrets than the configuration.
  const secrets = new SecretRedactor(collectSecrets(endpoint));
  const detail = toDetail(secrets.redact(errorMessage(result)));
  const { host, port } = toAddress(endpoint);
  const isThere = isAuthenticationError(detail) || (await isListening(host, port, options));
  const hasAnswered = isThere && !isSilent(result);
  const status = isAuthenticationError(detail) ? 'REFUSED' : hasAnswered ? 'NOT_MCP' : 'UNREACHABLE';
  return { ...candidate, status, detail };
}

/** Returns null if nothing listens on the port. */
async function probePort(
  host: string,
  port: number,
  place: string,
  options: DiscoverOptions,
): Promise<DiscoveryCandidate | null> {
  if (!(await isListening(host, port, options))) return null;
  const stop = new AbortController();
  const abort = (): void => stop.abort(options.signal.reason);
  options.signal.addEventListener('abort', abort, { once: true });
  const probes: Promise<ProbeOutcome>[] = [];
  try {
    using guard = createProbeGuard(options);
    const outcomes: ProbeOutcome[] = [];
    for (const endpoint of possibleEndpoints(place, host, port)) {
      const probe = tryProbe(endpoint, guard, { ...options, signal: stop.signal }).then((result) => {
        const outcome = { endpoint, result };
        outcomes.push(outcome);
        return outcome;
      });
      probes.push(probe);
      // A server that answers slowly, or not over this transport, delays the next one only a little.
      await settledOrLate(probe, options.clock);
      if (outcomes.some(isDecisive)) return describeOutcomes(place, outcomes);
    }
    await firstDecisive(probes);
    return describeOutcomes(place, outcomes);
  } finally {
    stop.abort(new Error('the probe is over'));
    await Promise.all(probes);
    options.signal.removeEventListener('abort', abort);
  }
}

interface ProbeOutcome {
  readonly endpoint: NetworkEndpoint;
  readonly result: ProbeResult | Error;
}

/** Returns whether the outcome of one transport decides about the port. */
function isDecisive({ result }: ProbeOutcome): boolean {
  if (!(result instanceof Error) || result instanceof ProbeRejectedError) return true;
  return isAuthenticationError(toDetail(errorMessage(result)));
}

/** Resolves when a probe has a decisive outcome, or all have ended. */
async function firstDecisive(probes: readonly Promise<ProbeOutcome>[]): Promise<void> {
  const decisive = probes.map((probe) =>
    probe.then((outcome) => {
      if (!isDecisive(outcome)) throw new Error('undecided');
    }),
  );
  await Promise.any(decisive).catch(() => undefined);
}

async function settledOrLate(probe: Promise<unknown>, clock: Clock): Promise<void> {
  let timer: Disposable | undefined;
  const late = new Promise<void>((resolve) => (timer = clock.schedule(NEXT_TRANSPORT_MS, resolve)));
  await Promise.race([probe, late]);
  timer?.[Symbol.dispose]();
}

function describeOutcomes(place: string, outcomes: readonly ProbeOutcome[]): DiscoveryCandidate {
  const found = outcomes.find(({ result }) => !(result instanceof Error)) ?? outcomes.find(isDecisive);
  if (found !== undefined) {
    const { endpoint, result } = found;
    const transport = TRANSPORT_KIND_BY_TYPE[endpoint.type];
    if (!(result instanceof Error)) {
      return createCandidate({ place, ...describeServer(result), transport, status: 'AVAILABLE', entry: endpoint });
    }
    const detail = toDetail(errorMessage(result));
    if (isAuthenticationError(detail)) {
      return createCandidate({ place, status: 'REFUSED', transport, detail, entry: endpoint });
    }
    return createCandidate({ place, status: 'NOT_MCP', detail });
  }
  const failures = outcomes.flatMap(({ endpoint: { type }, result }) => {
    if (!(result instanceof Error)) return [];
    const detail = toDetail(errorMessage(result));
    return [{ type, detail, isSilent: isSilent(result), isHttp: detail.endsWith(SPEAKS_HTTP_MESSAGE) }];
  });
  // What is sent over TCP and is not HTTP excludes the other transports.
  const isOther = failures.some((failure) => failure.type === 'tcp' && !failure.isSilent && !failure.isHttp);
  const silent = isOther ? undefined : failures.find((failure) => failure.isSilent);
  if (silent !== undefined) return createCandidate({ place, status: 'UNREACHABLE', detail: silent.detail });
  const detail = failures.find(({ isHttp }) => !isHttp)?.detail ?? null;
  return createCandidate({ place, status: 'NOT_MCP', detail });
}

/** Returns whether a probe failed because nothing was received in time. The server may only be slow. */
function isSilent(error: Error): boolean {
  return error instanceof TransportError && error.isSilent;
}

/**
 * Returns the endpoints to probe, in order. TCP is first, because an HTTP server answers a line of JSON immediately, while
 * other servers may never answer an HTTP request.
 */
function possibleEndpoints(place: string, host: string, port: number): readonly NetworkEndpoint[] {
  const tcp = { type: 'tcp', host, port } as const;
  const http = { type: 'http', url: `http://${place}/mcp` } as const;
  const sse = { type: 'sse', url: `http://${place}/sse` } as const;
  const ws = { type: 'ws', url: `ws://${place}/` } as const;
  return port === WEBSOCKET_PORT ? [tcp, ws, http, sse] : [tcp, http, sse, ws];
}

function toDetail(message: string): string {
  const line = toPrintableLine(message, MAX_DETAIL_LENGTH + 1);
  return line.length > MAX_DETAIL_LENGTH ? `${line.slice(0, MAX_DETAIL_LENGTH)}…` : line;
}

function tryProbe(
  endpoint: NetworkEndpoint,
  guard: Guard,
  { clock, logger, signal, probeTimeoutMs = DEFAULT_PROBE_TIMEOUT_MS }: DiscoverOptions,
): Promise<ProbeResult | Error> {
  return probeEndpoint(endpoint, { guard, clock, logger, signal, timeoutMs: probeTimeoutMs }).catch((error: unknown) =>
    error instanceof Error ? error : new Error(String(error)),
  );
}

/** Creates the guard of one place, which all of its transports share. */
function createProbeGuard({ clock, probeTimeoutMs = DEFAULT_PROBE_TIMEOUT_MS }: DiscoverOptions): Guard {
  return createGuard({ ...PROBE_GUARD_OPTIONS, timeoutMs: probeTimeoutMs }, { clock });
}

async function isListening(host: string, port: number, { clock, signal }: DiscoverOptions): Promise<boolean> {
  if (signal.aborted) return false;
  const timeout = new AbortController();
  const abort = (): void => timeout.abort();
  using _timer = scheduleDeadline(clock, CONNECT_TIMEOUT_MS, abort);
  signal.addEventListener('abort', abort, { once: true });
  const socket = connect({ host, port });
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect', { signal: timeout.signal });
    return true;
  } catch {
    return false;
  } finally {
    signal.removeEventListener('abort', abort);
    socket.destroy();
  }
}

/** Truncates and sanitizes what an unknown server reports about itself. */
function describeServer(result: ProbeResult): Partial<DiscoveryCandidate> {
  const toName = (text: string): string => toPrintableLine(text, MAX_NAME_LENGTH);
  const name = toName(result.name);
  const version = result.version === null ? null : toName(result.version);
  const capabilities = result.capabilities.slice(0, MAX_NAMES).map(toName);
  const tools = result.tools.slice(0, MAX_NAMES).map(toName);
  return { name, version, capabilities, tools, type: detectServerType({ name, tools }), detail: null };
}

function toAddress(endpoint: NetworkEndpoint): { readonly host: string; readonly port: number } {
  if (endpoint.type === 'tcp') return endpoint;
  const { hostname, port, protocol } = new URL(endpoint.url);
  const defaultPort = protocol === 'https:' || protocol === 'wss:' ? 443 : 80;
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? defaultPort : Number(port) };
}
