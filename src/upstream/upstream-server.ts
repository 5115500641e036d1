import type { Ownership, OwnershipCandidate, OwnershipClaim } from '../cluster/index.js';
import type { ServerHealth, ToolCaller, ToolResult } from '../model/index.js';
import { ServerPoller, type ServerPollerDeps } from './polling/server-poller.js';
import type { UpstreamOptions } from './upstream-options.js';

export interface UpstreamServerDeps extends ServerPollerDeps {
  readonly ownership: Ownership;
}

/** One configured server. Polled while this node owns it; requests are forwarded to the owner otherwise. */
export class UpstreamServer implements OwnershipCandidate {
  readonly isTransferable: boolean;
  readonly #deps: UpstreamServerDeps;
  readonly #onExpired: () => void;
  readonly #claim: OwnershipClaim;
  #options: UpstreamOptions;
  #poller: ServerPoller | null = null;
  #pendingClose: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** @param onExpired Called after the agents of a server that was offline for `removeAfterMs` have been removed. */
  constructor(options: UpstreamOptions, deps: UpstreamServerDeps, onExpired: () => void) {
    const { id, endpoint, replicas } = options;
    this.#options = options;
    this.isTransferable = [endpoint, ...replicas].every(({ type }) => isReachableFromAnyNode(type));
    this.#deps = deps;
    this.#onExpired = onExpired;
    this.#claim = deps.ownership.claim(id, this);
  }

  get isOwnedHere(): boolean {
    return this.#poller !== null;
  }

  /** Resolves when the owner of the server is known. */
  get ownershipDecided(): Promise<void> {
    return this.#claim.decided;
  }

  /** Resolves when another node is known to own the server, or when the server has answered or failed once. */
  async ready(): Promise<void> {
    await this.#claim.decided;
    await this.#poller?.firstPoll;
  }

  onAcquired(): void {
    if (!this.#isClosed) this.#poller ??= new ServerPoller(this.#options, this.#deps, this.#onExpired);
  }

  async onReleased(): Promise<void> {
    const poller = this.#poller;
    this.#poller = null;
    const previousClose = this.#pendingClose;
    this.#pendingClose = Promise.all([previousClose, poller?.[Symbol.asyncDispose]()]).then(() => undefined);
    await this.#pendingClose;
  }

  health(): ServerHealth | null {
    return this.#poller?.health() ?? this.#deps.ownership.remote.health(this.#options.id);
  }

  /** Polls immediately. Resolves with whether the server answered. */
  async poll(reconnects: boolean): Promise<boolean> {
    const poller = this.#poller;
    if (poller === null) return this.#deps.ownership.remote.poll(this.#options.id, reconnects);
    if (reconnects) poller.reconnectNow();
    return poller.pollNow();
  }

  callTool(
    tool: string,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    caller: ToolCaller,
  ): Promise<ToolResult> {
    if (this.#poller !== null) return this.#poller.callTool(tool, args, signal, caller.clientId);
    return this.#deps.ownership.remote.callTool(this.#options.id, tool, args, signal, caller);
  }

  reconfigure(changed: Pick<UpstreamOptions, 'maxPollHz' | 'allowTools' | 'origin'>): void {
    this.#options = { ...this.#options, ...changed };
    this.#poller?.reconfigure(changed);
  }

  /** Skips the delays before the next connection attempts. */
  reconnectNow(): void {
    this.#poller?.reconnectNow();
  }

  /**
   * Stops polling and gives up the ownership.
   * @param beforeRelease Runs between the two, if this node owned the server.
   */
  async close(beforeRelease?: () => Promise<void>): Promise<void> {
    const wasOwner = this.isOwnedHere;
    this.#isClosed = true;
    await this.onReleased();
    try {
      if (wasOwner) await beforeRelease?.();
    } finally {
      await this.#claim[Symbol.asyncDispose]();
    }
  }
}

/** A child process loses its state when it ends, and the session of a tap belongs to the node that the tap joined. */
function isReachableFromAnyNode(type: UpstreamOptions['endpoint']['type']): boolean {
  return type !== 'stdio' && type !== 'tap';
}
