import type { ServerMapping } from '../adapters/index.js';
import type { CircuitBreakerStatus, Latency, McpServerType, Polling, TransportKind } from '../domain/index.js';
import type { EndpointConfig } from '../mcp/index.js';

/** What the collector has to know of one server. */
export interface ServerSettings {
  readonly id: string;
  readonly endpoint: EndpointConfig;
  /** `null`: found out from the command line, or from the server's own name and tools. */
  readonly serverType: McpServerType | null;
  /** No matter how much is wanted, it is not polled more often. */
  readonly maxPollHz: number;
  /** Of its time that polls may take; above 0, at most 1. */
  readonly maxPollShare: number;
  /** Tools that clients may call. */
  readonly allowTools: readonly string[];
  /** Of one call. */
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  /** How a server of type `CUSTOM` is read. */
  readonly mapping?: ServerMapping;
}

/** What is measured of a server but not part of the revisioned picture. */
export interface ServerHealth {
  readonly circuitBreaker: CircuitBreakerStatus;
  readonly latency: Latency;
  /** Calls under way. */
  readonly inFlight: number;
  readonly calls: number;
  readonly failures: number;
  /** Malformed things that its answers held and that were left out. */
  readonly rejectedEntries: number;
  readonly polling: Polling;
}

/** Of one call that a client asked for. */
export interface ToolResult {
  /** The tool said that it failed. */
  readonly isError: boolean;
  /** The decoded answer: JSON, or text where the server sent no JSON. */
  readonly content: unknown;
  readonly durationMs: number;
}

const KINDS: Readonly<Record<EndpointConfig['type'], TransportKind>> = {
  stdio: 'STDIO',
  http: 'HTTP',
  sse: 'SSE',
  tcp: 'TCP',
  ws: 'WS',
};

export function transportKind(endpoint: EndpointConfig): TransportKind {
  return KINDS[endpoint.type];
}
