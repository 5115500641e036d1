import { type Ownership, singleNodeOwnership } from '../cluster/index.js';
import { connectSession } from '../mcp/index.js';
import type { ServerHealth, ToolCaller, ToolResult } from '../model/index.js';
import { errorMessage, isoTimestamp, SwarmlensError } from '../shared/index.js';
import type { ServerPollerDeps } from './polling/server-poller.js';
import { LoopShares } from './pool/loop-shares.js';
import type { UpstreamOptions } from './upstream-options.js';
import { UpstreamServer, type UpstreamServerDeps } from './upstream-server.js';

export interface UpstreamRegistryDeps extends Omit<ServerPollerDeps, 'connect' | 'loopShares'> {
  /** Opens a session with an endpoint. @default connectSession */
  readonly connect?: ServerPollerDeps['connect'];
  /** Decides which node polls a server. @default singleNodeOwnership */
  readonly ownership?: Ownership;
}

/** Registry of all upstream servers. Polls those that this node owns and forwards requests for the others. */
export class UpstreamRegistry implements AsyncDisposable {
  readonly #servers = new Map<string, UpstreamServer>();
  readonly #deps: UpstreamServerDeps;
  #discoveredAt: string | null = null;

  constructor(servers: readonly UpstreamOptions[], deps: UpstreamRegistryDeps) {
    this.#deps = {
      ...deps,
      connect: deps.connect ?? connectSession,
      ownership: deps.ownership ?? singleNodeOwnership,
      loopShares: new LoopShares(deps.clock),
    };
    for (const options of servers) this.add(options);
  }

  /** Time at which the last discovery ended. Null before the first. */
  get discoveredAt(): string | null {
    return this.#discoveredAt;
  }

  /** Ids of all servers, including those that only other nodes have. */
  get serverIds(): readonly string[] {
    const { remote } = this.#deps.ownership;
    return [...new Set([...this.#servers.keys(), ...remote.serverIds])];
  }

  /** Returns whether another node is known to own a server with this id. */
  isOwnedElsewhere(serverId: string): boolean {
    return this.#deps.ownership.remote.serverIds.includes(serverId);
  }

  /** Waits until the owner of a server is known. Resolves with whether it is this node. */
  async isOwnedHere(serverId: string): Promise<boolean> {
    const server = this.#servers.get(serverId);
    await server?.ownershipDecided;
    return server?.isOwnedHere === true;
  }

  /** Resolves when each server has answered or failed once, or is known to be owned by another node. */
  async ready(): Promise<void> {
    await Promise.all([...this.#servers.values()].map((server) => server.ready()));
    this.#discoveredAt ??= isoTimestamp(this.#deps.clock);
  }

  /**
   * Adds a server and starts to poll it if this node owns it.
   * @throws Error if a server with this id exists
   */
  add(options: UpstreamOptions): void {
    const { id, removeWhenExpired = false } = options;
    if (this.#servers.has(id)) throw new Error(`Server "${id}" already exists.`);
    const server = new UpstreamServer(options, this.#deps, () => {
      if (removeWhenExpired && this.#servers.get(id) === server) this.#removeExpired(id);
    });
    this.#servers.set(id, server);
  }

  /** Stops polling a server, closes its connection and removes its state. */
  async remove(serverId: string): Promise<void> {
    const server = this.#servers.get(serverId);
    if (server === undefined) return;
    this.#servers.delete(serverId);
    const { bus, store } = this.#deps;
    await server.close(() => bus.publish(store.removalDelta(serverId)));
  }

  /** Changes the options of a server that take effect without a new connection. */
  reconfigure({ id, maxPollHz, allowTools, origin }: UpstreamOptions): void {
    this.#servers.get(id)?.reconfigure({ maxPollHz, allowTools, origin });
  }

  /** Skips the delay before the next connection attempt of a server. Returns whether the server exists. */
  reconnect(serverId: string): boolean {
    const server = this.#servers.get(serverId);
    server?.reconnectNow();
    return server !== undefined;
  }

  /** Returns the measured health of a server. Null if no node has measured it. */
  health(serverId: string): ServerHealth | null {
    return this.#servers.get(serverId)?.health() ?? this.#deps.ownership.remote.health(serverId);
  }

  /**
   * Polls servers immediately and waits for their answers.
   * @param serverIds Servers to poll. Null for all.
   * @throws SwarmlensError BAD_USER_INPUT if an id is unknown; no server is polled then
   */
  pollNow(serverIds: readonly string[] | null): Promise<PollOutcome> {
    return this.#poll(serverIds ?? this.serverIds, false);
  }

  /** Polls servers immediately. Servers that are not connected try to connect without further delay. */
  async refresh(serverIds: readonly string[] = this.serverIds): Promise<void> {
    await this.#poll(serverIds, true);
    this.#discoveredAt = isoTimestamp(this.#deps.clock);
  }

  /**
   * Calls a tool for a client.
   * @param caller Viewer of the call, whose rights another node that owns the server checks again.
   * @throws SwarmlensError BAD_USER_INPUT, FORBIDDEN, RATE_LIMITED or SERVER_UNAVAILABLE
   */
  async callTool(
    serverId: string,
    tool: string,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    caller: ToolCaller,
  ): Promise<ToolResult> {
    this.#assertKnown(serverId, 'serverId');
    const server = this.#servers.get(serverId);
    if (server !== undefined) return server.callTool(tool, args, signal, caller);
    return this.#deps.ownership.remote.callTool(serverId, tool, args, signal, caller);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#servers.values()].map((server) => server.close()));
  }

  async #poll(serverIds: readonly string[], reconnects: boolean): Promise<PollOutcome> {
    for (const id of serverIds) this.#assertKnown(id, 'serverIds');
    const { remote } = this.#deps.ownership;
    const outcomes = await Promise.all(
      serverIds.map(async (serverId) => {
        const server = this.#servers.get(serverId);
        return { serverId, answered: await (server?.poll(reconnects) ?? remote.poll(serverId, reconnects)) };
      }),
    );
    return {
      answered: outcomes.filter(({ answered }) => answered).map(({ serverId }) => serverId),
      unanswered: outcomes.filter(({ answered }) => !answered).map(({ serverId }) => serverId),
    };
  }

  #removeExpired(serverId: string): void {
    this.remove(serverId).catch((error: unknown) => {
      this.#deps.logger.error({ serverId, error: errorMessage(error) }, 'server was not removed');
    });
  }

  #assertKnown(serverId: string, argument: string): void {
    if (this.#servers.has(serverId)) return;
    const { serverIds } = this;
    if (!serverIds.includes(serverId)) throw unknownServerError(serverId, argument, serverIds);
  }
}

/**
 * Creates the error for an unknown server, which is also used for a server that the viewer may not see.
 * @param knownIds Ids of the servers that the viewer may see.
 */
export function unknownServerError(serverId: string, argument: string, knownIds: readonly string[]): SwarmlensError {
  return new SwarmlensError(
    'BAD_USER_INPUT',
    `Unknown server "${serverId}" in argument "${argument}". Known servers: ${knownIds.join(', ') || 'none'}.`,
    { argument },
  );
}

/** Ids of the servers that answered a requested poll, and of those that did not. */
export interface PollOutcome {
  readonly answered: readonly string[];
  readonly unanswered: readonly string[];
}
