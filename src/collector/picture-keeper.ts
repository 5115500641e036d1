import type { Bus } from '../bus/index.js';
import type { McpServer, Notice, ServerReport, ServerStatus, SwarmlensEvent } from '../domain/index.js';
import { type Clock, errorMessage, isoTimestamp } from '../shared/index.js';
import { hasStateChanges, serverSnapshot, type ServerSnapshot, toStaleSnapshot, type Store } from '../state/index.js';
import type { Logger } from '../telemetry/index.js';
import { buildServerSnapshot } from './assemble.js';

export interface ServerPublisherDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long agents of a server that is gone stay, milliseconds; `null`, or left out: for ever. */
  readonly removeAfterMs?: number | null;
}

/** Keeps one server's part of the picture: what it reported last, and for how long that stands in for it. */
export class ServerPublisher implements Disposable {
  readonly #deps: ServerPublisherDeps;
  readonly #onGone: () => void;
  #server: McpServer;
  #snapshot: ServerSnapshot | null;
  #hasReported = false;
  #isClosed = false;
  #removal: Disposable | null = null;

  /**
   * Goes on with what another node has seen of the server, if the store has that: no agent goes and comes back.
   * @param onGone called when the server has been gone for `removeAfterMs`, after its agents have been removed
   */
  constructor(server: McpServer, deps: ServerPublisherDeps, onGone: () => void) {
    this.#server = server;
    this.#deps = deps;
    this.#onGone = onGone;
    const { store, clock } = deps;
    this.#snapshot = store.serverLastSeenAt(server.id) === null ? null : serverSnapshot(store, server.id);
    if (server.staleSince !== null) this.#removeAfter(clock.now() - Date.parse(server.staleSince));
  }

  get server(): McpServer {
    return this.#server;
  }

  /** Whether anything is known that it has ever reported, to whichever node. */
  get hasSnapshot(): boolean {
    return this.#snapshot !== null;
  }

  /** Whether it has reported anything since it is watched here. */
  get hasReported(): boolean {
    return this.#hasReported;
  }

  /** Learns something of the server that is published with what comes next. */
  updateServer(known: Partial<McpServer>): void {
    this.#server = { ...this.#server, ...known };
  }

  /** The server has answered: nothing of it is stale as a whole any more. */
  async publishReport(
    report: ServerReport,
    known: Partial<McpServer>,
    events: readonly SwarmlensEvent[],
  ): Promise<void> {
    const seenAt = isoTimestamp(this.#deps.clock);
    this.#removal?.[Symbol.dispose]();
    this.#removal = null;
    this.updateServer({ ...known, stale: false, staleSince: null });
    this.#hasReported = true;
    this.#snapshot = buildServerSnapshot(this.#server, report, seenAt, this.#snapshot);
    await this.publishEvents(events, seenAt);
  }

  /** The last known picture goes on, marked as such. */
  async publishFailure(status: ServerStatus, reason: string, events: readonly SwarmlensEvent[]): Promise<void> {
    const { clock, store } = this.#deps;
    const { staleSince, id } = this.#server;
    this.updateServer({ status, stale: true, staleSince: staleSince ?? isoTimestamp(clock), lastError: reason });
    if (this.#snapshot !== null)
      this.#snapshot = toStaleSnapshot(this.#snapshot, this.#server, store.serverLastSeenAt(id));
    if (staleSince === null) this.#removeAfter(0);
    await this.publishEvents(events);
  }

  /** Tells events, and whatever else has changed. */
  async publishEvents(events: readonly SwarmlensEvent[], seenAt: string | null = null): Promise<void> {
    // What comes late must not change what another node tells of the server by now.
    if (this.#isClosed) return;
    const { store, bus, logger } = this.#deps;
    const picture = this.#snapshot ?? { server: this.#server, agents: [], swarms: [], edges: [] };
    const change = { ...store.diff({ ...picture, server: this.#server }, seenAt), events };
    if (seenAt === null && events.length === 0 && !hasStateChanges(change)) return;
    for (const event of events) {
      if (event.type === 'health') logger.info(event, 'server health changed');
    }
    await bus.publish(change);
  }

  /** Nothing is published any more. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#removal?.[Symbol.dispose]();
    this.#removal = null;
  }

  /** @param passedMs of its time; another node's clock may have told when that began */
  #removeAfter(passedMs: number): void {
    const { clock, removeAfterMs = null } = this.#deps;
    if (removeAfterMs === null) return;
    const leftMs = Math.min(Math.max(0, removeAfterMs - passedMs), removeAfterMs);
    this.#removal = clock.schedule(leftMs, () => this.#remove(removeAfterMs));
  }

  #remove(afterMs: number): void {
    const { clock, logger } = this.#deps;
    const { id } = this.#server;
    const count = this.#snapshot?.agents.length ?? 0;
    this.#snapshot = null;
    this.#hasReported = false;
    const message = `${count} agents of ${id} are removed: it has been gone for ${Math.round(afterMs / 1000)} s`;
    const notice: Notice = {
      type: 'notice',
      code: 'AGENTS_REMOVED',
      severity: 'WARNING',
      message,
      serverId: id,
      timestamp: isoTimestamp(clock),
    };
    this.publishEvents(count === 0 ? [] : [notice])
      .catch((error: unknown) => logger.error({ serverId: id, error: errorMessage(error) }, 'change was not published'))
      .finally(this.#onGone);
  }
}
