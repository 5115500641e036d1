import type { ServerHealth, ToolResult } from '../model/index.js';
import { SwarmlensError } from '../shared/index.js';

/** Which node watches a server: of one process that process, of several nodes the one that holds its lease. */
export interface Ownership extends AsyncDisposable {
  /** Asks to watch a server. Disposing what is returned gives it up, whether it is watched or not. */
  claim(serverId: string, claim: OwnershipCandidate): OwnershipClaim;
  readonly remote: RemoteServers;
}

/** A node that would watch a server, as whoever decides about that sees it. */
export interface OwnershipCandidate {
  /** Whether another node can watch the server as well as this one: not where its state is in a process of this one. */
  readonly isTransferable: boolean;
  /** This node watches the server from now on. */
  onAcquired(): void;
  /** Another one does. Resolves when nothing of this node asks the server any more. */
  onReleased(): Promise<void>;
  /** Measured while it is watched here; `null`: it is not. */
  health(): ServerHealth | null;
  /**
   * Polls at once.
   * @param reconnects whether it is tried again first if it cannot be reached
   * @returns whether the server answered
   */
  poll(reconnects: boolean): Promise<boolean>;
  /** @throws SwarmlensError FORBIDDEN or SERVER_UNAVAILABLE */
  callTool(tool: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ToolResult>;
}

export interface OwnershipClaim extends AsyncDisposable {
  /** Resolves when it is known for the first time who watches the server, and what that one has seen of it. */
  readonly decided: Promise<void>;
}

/** What can be asked of servers that other nodes watch. */
export interface RemoteServers {
  /** Those that are watched by another node, as far as this one knows. */
  readonly serverIds: readonly string[];
  /** As its node measured it a moment ago; `null`: nothing is known. */
  health(serverId: string): ServerHealth | null;
  /** Like `Claim.poll`, on the node that watches the server; `false`, too, when no node does. */
  poll(serverId: string, reconnects: boolean): Promise<boolean>;
  /** @throws SwarmlensError FORBIDDEN or SERVER_UNAVAILABLE */
  callTool(
    serverId: string,
    tool: string,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<ToolResult>;
}

const NOBODY: RemoteServers = {
  serverIds: [],
  health: () => null,
  poll: () => Promise.resolve(false),
  callTool: (serverId) => Promise.reject(noOwnerError(serverId)),
};

/** There is one process, and it watches what it is asked to, at once. */
export const singleNodeOwnership: Ownership = {
  claim(_serverId, claim) {
    claim.onAcquired();
    return { decided: Promise.resolve(), [Symbol.asyncDispose]: () => Promise.resolve() };
  },
  remote: NOBODY,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** What is answered when a server is between two nodes, or was given up by the one that had it. */
export function noOwnerError(serverId: string): SwarmlensError {
  const message = `Server "${serverId}" is watched by no node just now: try again in a few seconds.`;
  return new SwarmlensError('SERVER_UNAVAILABLE', message, { serverId });
}
