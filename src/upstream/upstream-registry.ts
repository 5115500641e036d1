import type { ServerHealth, ToolResult } from '../model/index.js';
import { connectSession } from '../mcp/index.js';
import { type Ownership, singleNodeOwnership } from '../cluster/index.js';
import { errorMessage, SwarmlensError, isoTimestamp } from '../shared/index.js';
import type { UpstreamOptions } from './upstream-options.js';
import type { ServerPollerDeps } from './polling/server-poller.js';
import { UpstreamServer, type UpstreamServerDeps } from './upstream-server.js';

export interface UpstreamRegistryDeps extends Omit<ServerPollerDeps, 'connect'> {
  /** Left out: over the network, or by starting a process. */
  readonly connect?: ServerPollerDeps['connect'];
  /** Which of several nodes watches a server; left out: this one watches them all. */
  readonly ownership?: Ownership;
}

/** All servers that this node watches, or would if no other one did. */
export class UpstreamRegistry implements AsyncDisposable {
  readonly #servers = new Map<string, UpstreamServer>();
  readonly #deps: UpstreamServerDeps;
  #discoveredAt: string | null = null;

  constructor(settings: readonly UpstreamOptions[], deps: UpstreamRegistryDeps) {
    this.#deps = { ...deps, connect: deps.connect ?? connectSession, ownership: deps.ownership ?? singleNodeOwnership };
    for (const one of settings) this.add(one);
  }

  /** When the last discovery ended; `null` before the first. */
  get discoveredAt(): string | null {
    return this.#discoveredAt;
  }

  /** Those that can be asked for something, here or on another node. */
  get serverIds(): readonly string[] {
    const { remote } = this.#deps.ownership;
    return [...new Set([...this.#servers.keys(), ...remote.serverIds])];
  }

  /** Whether another node watches a server of that id, as far as is known. */
  isOwnedElsewhere(serverId: string): boolean {
    return this.#deps.ownership.remote.serverIds.includes(serverId);
  }

  /** Resolves when it is known who watches a server: `true`, this node; `false`, another, or it is removed. */
  async isOwnedHere(serverId: string): Promise<boolean> {
    const watch = this.#servers.get(serverId);
    await watch?.ownershipDecided;
    return watch?.isOwnedHere === true;
  }

  /** Resolves when each server has answered or failed for the first time, or another node is known to watch it. */
  async ready(): Promise<void> {
    await Promise.all([...this.#servers.values()].map((watch) => watch.ready()));
    this.#discoveredAt ??= isoTimestamp(this.#deps.clock);
  }

  /**
   * Watches one more server.
   * @throws Error when there is one of that id
   */
  add(settings: UpstreamOptions): void {
    const { id } = settings;
    if (this.#servers.has(id)) throw new Error(`server "${id}" is there already`);
    const watch = new UpstreamServer(settings, this.#deps, () => {
      if (settings.removeWhenExpired === true && this.#servers.get(id) === watch) this.#forget(id);
    });
    this.#servers.set(id, watch);
  }

  /** Watches a server no longer: its connection is closed, and everything of it leaves the picture. */
  async remove(serverId: string): Promise<void> {
    const watch = this.#servers.get(serverId);
    if (watch === undefined) return;
    this.#servers.delete(serverId);
    const { bus, store } = this.#deps;
    // Of what another node watches the picture is that node's.
    await watch.close(() => bus.publish(store.removalDelta(serverId)));
  }

  /** Changes what needs no new connection: how often the server is polled at most, and which tools clients may call. */
  reconfigure({ id, maxPollHz, allowTools }: UpstreamOptions): void {
    this.#servers.get(id)?.reconfigure({ maxPollHz, allowTools });
  }

  /**
   * There is reason to think that a server can be reached again: it is tried at once.
   * @returns whether it is watched at all
   */
  reconnect(serverId: string): boolean {
    const watch = this.#servers.get(serverId);
    watch?.reconnectNow();
    return watch !== undefined;
  }

  /** Measured health of a server; `null` when nobody has measured it. */
  health(serverId: string): ServerHealth | null {
    return this.#servers.get(serverId)?.health() ?? this.#deps.ownership.remote.health(serverId);
  }

  /**
   * Polls the servers named, or all, at once, and waits for their answers.
   * @returns which of them answered
   * @throws SwarmlensError BAD_USER_INPUT for an id that is not configured; nothing is polled then
   */
  pollNow(serverIds: readonly string[] | null): Promise<PollOutcome> {
    return this.#poll(serverIds ?? this.serverIds, false);
  }

  /**
   * Polls those that are connected, and tries the others again without waiting for their turn.
   * @param serverIds left out: all
   */
  async refresh(serverIds: readonly string[] = this.serverIds): Promise<void> {
    await this.#poll(serverIds, true);
    this.#discoveredAt = isoTimestamp(this.#deps.clock);
  }

  /** @throws SwarmlensError BAD_USER_INPUT, FORBIDDEN or SERVER_UNAVAILABLE */
  async callTool(
    serverId: string,
    tool: string,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<ToolResult> {
    this.#check(serverId, 'serverId');
    const watch = this.#servers.get(serverId);
    if (watch !== undefined) return watch.callTool(tool, args, signal);
    return this.#deps.ownership.remote.callTool(serverId, tool, args, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#servers.values()].map((watch) => watch.close()));
  }

  async #poll(serverIds: readonly string[], reconnects: boolean): Promise<PollOutcome> {
    for (const id of serverIds) this.#check(id, 'serverIds');
    const { remote } = this.#deps.ownership;
    const outcomes = await Promise.all(
      serverIds.map(async (serverId) => {
        const watch = this.#servers.get(serverId);
        return { serverId, answered: await (watch?.poll(reconnects) ?? remote.poll(serverId, reconnects)) };
      }),
    );
    return {
      answered: outcomes.filter((one) => one.answered).map((one) => one.serverId),
      unanswered: outcomes.filter((one) => !one.answered).map((one) => one.serverId),
    };
  }

  #forget(serverId: string): void {
    this.remove(serverId).catch((error: unknown) => {
      this.#deps.logger.error({ serverId, error: errorMessage(error) }, 'server was not removed');
    });
  }

  #check(serverId: string, argument: string): void {
    if (this.#servers.has(serverId)) return;
    const known = this.serverIds;
    if (!known.includes(serverId)) throw unknownServerError(serverId, argument, known);
  }
}

/** What is answered for a server that there is not, or not for whoever asks. @param known that there are for them */
export function unknownServerError(serverId: string, argument: string, known: readonly string[]): SwarmlensError {
  return new SwarmlensError(
    'BAD_USER_INPUT',
    `Argument "${argument}": there is no server "${serverId}" (known: ${known.join(', ') || 'none'}).`,
    { argument },
  );
}

export interface PollOutcome {
  readonly answered: readonly string[];
  readonly unanswered: readonly string[];
}
