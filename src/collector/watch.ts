import type { ServerHealth, ToolResult } from '../domain/index.js';
import type { Claim, Claimed, Ownership } from '../nodes/index.js';
import type { ServerSettings } from './settings.js';
import { Supervisor, type SupervisorDeps } from './supervisor.js';

export interface WatchDeps extends SupervisorDeps {
  readonly ownership: Ownership;
}

/** One server that this node would watch: it does while the server is its own, and asks the node that does otherwise. */
export class Watch implements Claim {
  settings: ServerSettings;
  readonly movable: boolean;
  readonly #deps: WatchDeps;
  readonly #onGone: () => void;
  readonly #claimed: Claimed;
  #supervisor: Supervisor | null = null;
  #closing: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** @param onGone called when the server has been gone for so long that its agents are removed */
  constructor(settings: ServerSettings, deps: WatchDeps, onGone: () => void) {
    this.settings = settings;
    this.movable = [settings.endpoint, ...(settings.replicas ?? [])].every(({ type }) => isReachedFromAnywhere(type));
    this.#deps = deps;
    this.#onGone = onGone;
    this.#claimed = deps.ownership.claim(settings.id, this);
  }

  /** Whether this node is the one that watches it. */
  get isHere(): boolean {
    return this.#supervisor !== null;
  }

  /** Resolves when it is known who watches the server. */
  get claimed(): Promise<void> {
    return this.#claimed.settled;
  }

  /** Resolves when it is known who watches the server and, if it is this node, when it has answered or failed. */
  async ready(): Promise<void> {
    await this.#claimed.settled;
    await this.#supervisor?.firstAttempt;
  }

  gained(): void {
    if (!this.#isClosed) this.#supervisor ??= new Supervisor(this.settings, this.#deps, this.#onGone);
  }

  async lost(): Promise<void> {
    const supervisor = this.#supervisor;
    this.#supervisor = null;
    const before = this.#closing;
    this.#closing = Promise.all([before, supervisor?.[Symbol.asyncDispose]()]).then(() => undefined);
    await this.#closing;
  }

  health(): ServerHealth | null {
    return this.#supervisor?.health() ?? this.#deps.ownership.others.health(this.settings.id);
  }

  async poll(reconnects: boolean): Promise<boolean> {
    const supervisor = this.#supervisor;
    if (supervisor === null) return this.#deps.ownership.others.poll(this.settings.id, reconnects);
    if (reconnects) supervisor.reconnectNow();
    return supervisor.pollNow();
  }

  callTool(tool: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ToolResult> {
    if (this.#supervisor !== null) return this.#supervisor.callTool(tool, args, signal);
    return this.#deps.ownership.others.callTool(this.settings.id, tool, args, signal);
  }

  adjust(changed: Pick<ServerSettings, 'maxPollHz' | 'allowTools'>): void {
    this.settings = { ...this.settings, ...changed };
    this.#supervisor?.adjust(changed);
  }

  /** Ends the pauses before the next attempts to connect. */
  reconnectNow(): void {
    this.#supervisor?.reconnectNow();
  }

  /**
   * Nothing asks the server any more, and another node may watch it.
   * @param farewell what has to be done when nothing asks it and no other node may, if this is the node that watched it
   */
  async close(farewell?: () => Promise<void>): Promise<void> {
    const wasHere = this.isHere;
    this.#isClosed = true;
    await this.lost();
    try {
      if (wasHere) await farewell?.();
    } finally {
      await this.#claimed[Symbol.asyncDispose]();
    }
  }
}

/** A command is started, and what it knows is lost with it; a tap's session is that of the node that it has joined. */
function isReachedFromAnywhere(type: ServerSettings['endpoint']['type']): boolean {
  return type !== 'stdio' && type !== 'tap';
}
