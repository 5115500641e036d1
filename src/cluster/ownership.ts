import type { ServerHealth, ToolCaller, ToolResult } from '../model/index.js';
import { SwarmlensError } from '../shared/index.js';

/** Port that decides which node owns a server: the only process, or the node that holds the lease. */
export interface Ownership extends AsyncDisposable {
  /** Claims the ownership of a server. Dispose the claim to give it up, whether the server is owned or not. */
  claim(serverId: string, claim: OwnershipCandidate): OwnershipClaim;
  readonly remote: RemoteServers;
}

/** Candidate for the ownership of a server on this node. */
export interface OwnershipCandidate {
  /** Whether another node can own the server as well. False if the server is a child process of this one. */
  readonly isTransferable: boolean;
  /** Called when this node becomes the owner. */
  onAcquired(): void;
  /** Called when this node is no longer the owner. Resolves when this node has stopped calling the server. */
  onReleased(): Promise<void>;
  /** Returns the measured health. Null if this node is not the owner. */
  health(): ServerHealth | null;
  /**
   * Polls the server immediately and returns whether it answered.
   * @param reconnects whether to reconnect first if the server is unreachable
   */
  poll(reconnects: boolean): Promise<boolean>;
  /**
   * Calls a tool for a viewer.
   * @throws SwarmlensError FORBIDDEN, RATE_LIMITED or SERVER_UNAVAILABLE
   */
  callTool(
    tool: string,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    caller: ToolCaller,
  ): Promise<ToolResult>;
}

export interface OwnershipClaim extends AsyncDisposable {
  /** Resolves when the owner of the server and its latest snapshot are known for the first time. */
  readonly decided: Promise<void>;
}

/** Operations on servers that other nodes own. */
export interface RemoteServers {
  /** Ids of the servers that are known to be owned by other nodes. */
  readonly serverIds: readonly string[];
  /** Returns the latest health that the owner measured. Null if it is unknown. */
  health(serverId: string): ServerHealth | null;
  /** Polls the server on its owner, like `OwnershipCandidate.poll`. Returns false if there is no owner. */
  poll(serverId: string, reconnects: boolean): Promise<boolean>;
  /** Calls a tool on the owner of the server, like `OwnershipCandidate.callTool`. */
  callTool(
    serverId: string,
    tool: string,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    caller: ToolCaller,
  ): Promise<ToolResult>;
}

/** Node that owns a server. */
export interface LeaseHolder {
  readonly nodeId: string;
  /** Number that grows with each owner. Writes with a lower number are rejected. */
  readonly fencingToken: number;
}

/** Owner and health of a server that another node owns. */
export interface LeaseInfo {
  /** Null if no node owns the server. */
  readonly holder: LeaseHolder | null;
  readonly health: ServerHealth | null;
}

const NO_REMOTE_SERVERS: RemoteServers = {
  serverIds: [],
  health: () => null,
  poll: () => Promise.resolve(false),
  callTool: (serverId) => Promise.reject(noOwnerError(serverId)),
};

/** Ownership of a single node, which owns every claimed server immediately. */
export const singleNodeOwnership: Ownership = {
  claim(_serverId, claim) {
    claim.onAcquired();
    return { decided: Promise.resolve(), [Symbol.asyncDispose]: () => Promise.resolve() };
  },
  remote: NO_REMOTE_SERVERS,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** Creates the error for a server that currently has no owner. */
export function noOwnerError(serverId: string): SwarmlensError {
  const message = `No node owns server "${serverId}" at the moment. Retry in a few seconds.`;
  return new SwarmlensError('SERVER_UNAVAILABLE', message, { serverId });
}
