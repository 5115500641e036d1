import type { ServerHealth, ToolResult } from '../model/index.js';
import type { OwnershipCandidate, OwnershipClaim, Ownership } from '../cluster/index.js';
import type { UpstreamOptions } from './upstream-options.js';
import { ServerPoller, type ServerPollerDeps } from './polling/server-poller.js';

export interface UpstreamServerDeps extends ServerPollerDeps {
  readonly ownership: Ownership;
}

/** One server that this node would watch: it does while the server is its own, and asks the node that does otherwise. */
export class UpstreamServer implements OwnershipCandidate {
  settings: UpstreamOptions;
  readonly isTransferable: boolean;
  readonly #deps: UpstreamServerDeps;
  readonly #onGone: () => void;
  readonly #claimed: OwnershipClaim;
  #poller: ServerPoller | null = null;
  #pendingClose: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** @param onGone called when the server has been gone for so long that its agents are removed */
  constructor(settings: UpstreamOptions, deps: UpstreamServerDeps, onGone: () => void) {
    this.settings = settings;
    this.isTransferable = [settings.endpoint, ...(settings.replicas ?? [])].every(({ type }) =>
      isReachedFromAnywhere(type),
    );
    this.#deps = deps;
    this.#onGone = onGone;
    this.#claimed = deps.ownership.claim(settings.id, this);
  }

  /** Whether this node is the one that watches it. */
  get isOwnedHere(): boolean {
    return this.#poller !== null;
  }

  /** Resolves when it is known who watches the server. */
  get ownershipDecided(): Promise<void> {
    return this.#claimed.decided;
  }

  /** Resolves when it is known who watches the server and, if it is this node, when it has answered or failed. */
  async ready(): Promise<void> {
    await this.#claimed.decided;
    await this.#poller?.firstPoll;
  }

  onAcquired(): void {
    if (!this.#isClosed) this.#poller ??= new ServerPoller(this.settings, this.#deps, this.#onGone);
  }

  async onReleased(): Promise<void> {
    const supervisor = this.#poller;
    this.#poller = null;
    const before = this.#pendingClose;
    this.#pendingClose = Promise.all([before, supervisor?.[Symbol.asyncDispose]()]).then(() => undefined);
    await this.#pendingClose;
  }

  health(): ServerHealth | null {
    return this.#poller?.health() ?? this.#deps.ownership.remote.health(this.settings.id);
  }

  async poll(reconnects: boolean): Promise<boolean> {
    const supervisor = this.#poller;
    if (supervisor === null) return this.#deps.ownership.remote.poll(this.settings.id, reconnects);
    if (reconnects) supervisor.reconnectNow();
    return supervisor.pollNow();
  }

  callTool(tool: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ToolResult> {
    if (this.#poller !== null) return this.#poller.callTool(tool, args, signal);
    return this.#deps.ownership.remote.callTool(this.settings.id, tool, args, signal);
  }

  reconfigure(changed: Pick<UpstreamOptions, 'maxPollHz' | 'allowTools'>): void {
    this.settings = { ...this.settings, ...changed };
    this.#poller?.reconfigure(changed);
  }

  /** Ends the pauses before the next attempts to connect. */
  reconnectNow(): void {
    this.#poller?.reconnectNow();
  }

  /**
   * Nothing asks the server any more, and another node may watch it.
   * @param farewell what has to be done when nothing asks it and no other node may, if this is the node that watched it
   */
  async close(farewell?: () => Promise<void>): Promise<void> {
    const wasHere = this.isOwnedHere;
    this.#isClosed = true;
    await this.onReleased();
    try {
      if (wasHere) await farewell?.();
    } finally {
      await this.#claimed[Symbol.asyncDispose]();
    }
  }
}

/** A command is started, and what it knows is lost with it; a tap's session is that of the node that it has joined. */
function isReachedFromAnywhere(type: UpstreamOptions['endpoint']['type']): boolean {
  return type !== 'stdio' && type !== 'tap';
}
