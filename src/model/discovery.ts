import type { McpServerType, TransportKind } from './enums.js';

/**
 * AVAILABLE: it answered. CONFIGURED: it is watched already, and was not asked. LISTED: it stands in a file, and was
 * neither started nor asked. REFUSED: it wants to know who asks. UNREACHABLE: it stands in a file, and nothing answers
 * there. NOT_MCP: something listens there that does not speak MCP.
 */
export type CandidateStatus = 'AVAILABLE' | 'CONFIGURED' | 'LISTED' | 'REFUSED' | 'UNREACHABLE' | 'NOT_MCP';

/** Something found in one of the usual places that is, or may be, an MCP server. */
export interface DiscoveryCandidate {
  /** The file, or host and port. */
  readonly place: string;
  /** Its key in the file; of a port, what it calls itself. */
  readonly name: string | null;
  readonly version: string | null;
  /** `null`: it was not asked, and its command does not tell. */
  readonly type: McpServerType | null;
  readonly transport: TransportKind | null;
  readonly status: CandidateStatus;
  /** As it says in the handshake: tools, resources, prompts, … */
  readonly capabilities: readonly string[];
  /** Names of its tools. */
  readonly tools: readonly string[];
  /** Of a server in the configuration. */
  readonly serverId: string | null;
  /** Why it is no better than its status. */
  readonly detail: string | null;
  /** What to write into `mcpServers`; `null` where that is not known, or stands in a file anyway. */
  readonly entry: NetworkEndpoint | null;
}

/** Where something may be asked. */
export type NetworkEndpoint =
  | { readonly type: 'http' | 'sse' | 'ws'; readonly url: string }
  | { readonly type: 'tcp'; readonly host: string; readonly port: number };

/** What a server said of itself. */
export interface ProbeResult {
  readonly name: string;
  readonly version: string | null;
  readonly capabilities: readonly string[];
  readonly tools: readonly string[];
}

/** A candidate of which nothing is known but what is passed. */
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
