import type { McpServerType, TransportKind } from './enums.js';

/** Default of the time limit of one probe, in milliseconds. */
export const DEFAULT_PROBE_TIMEOUT_MS = 10_000;

/**
 * Result of probing a candidate. AVAILABLE: answered. CONFIGURED: already configured and not probed. LISTED: listed in a file,
 * or a coding agent on this machine; neither started nor probed. REFUSED: requires authentication. UNREACHABLE: listed in a file and not listening, or listening without
 * an answer so far. NOT_MCP: speaks another protocol.
 */
export type CandidateStatus = 'AVAILABLE' | 'CONFIGURED' | 'LISTED' | 'REFUSED' | 'UNREACHABLE' | 'NOT_MCP';

/** Possible MCP server found in a file or on a port, or coding agent that can be observed. */
export interface DiscoveryCandidate {
  /** File, host and port, or directory of a coding agent. */
  readonly place: string;
  /** Key in the file, name of the coding agent, or name that the server reports. */
  readonly name: string | null;
  readonly version: string | null;
  /** Null if the candidate was not probed and its command does not reveal the type. */
  readonly type: McpServerType | null;
  readonly transport: TransportKind | null;
  readonly status: CandidateStatus;
  /** Capabilities from the handshake: tools, resources, prompts, … */
  readonly capabilities: readonly string[];
  /** Names of the tools. */
  readonly tools: readonly string[];
  /** Id of the configured server. Null if the candidate is not configured. */
  readonly serverId: string | null;
  /** Reason for the status. */
  readonly detail: string | null;
  /** Entry for `mcpServers`. Null if it is unknown, listed in a file already, or of a coding agent. */
  readonly entry: NetworkEndpoint | null;
}

/** Endpoint that can be probed over the network. */
export type NetworkEndpoint =
  | { readonly type: 'http' | 'sse' | 'ws'; readonly url: string }
  | { readonly type: 'tcp'; readonly host: string; readonly port: number };

/** Identity and tools that a probed server reported. */
export interface ProbeResult {
  readonly name: string;
  readonly version: string | null;
  readonly capabilities: readonly string[];
  readonly tools: readonly string[];
}

/** Creates a candidate from the known values. All others are null or empty. */
export function createCandidate(
  known: Partial<DiscoveryCandidate> & Pick<DiscoveryCandidate, 'place' | 'status'>,
): DiscoveryCandidate {
  return {
    name: null,
    version: null,
    type: null,
    transport: null,
    capabilities: [],
    tools: [],
    serverId: null,
    detail: null,
    entry: null,
    ...known,
  };
}
