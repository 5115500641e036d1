import type { Bus } from '../bus/index.js';
import type { McpServer, Notice, ServerReport, ServerStatus, SwarmlensEvent } from '../domain/index.js';
import { type Clock, messageOf, timestamp } from '../shared/index.js';
import { changesState, type ServerPicture, staleCopy, type Store } from '../state/index.js';
import type { Logger } from '../telemetry/index.js';
import { assemble } from './assemble.js';

export interface PictureKeeperDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long agents of a server that is gone stay, milliseconds; `null`, or left out: for ever. */
  readonly removeAfterMs?: number | null;
}

/** Keeps one server's part of the picture: what it reported last, and for how long that stands in for it. */
export class PictureKeeper implements Disposable {
  readonly #deps: PictureKeeperDeps;
  readonly #onGone: () => void;
  #server: McpServer;
  #picture: ServerPicture | null = null;
  #removal: Disposable | null = null;

  /** @param onGone called when the server has been gone for `removeAfterMs`, after its agents have been removed */
  constructor(server: McpServer, deps: PictureKeeperDeps, onGone: () => void) {
    this.#server = server;
    this.#deps = deps;
    this.#onGone = onGone;
  }

  get server(): McpServer {
    return this.#server;
  }

  /** Whether it has ever reported anything. */
  get hasReported(): boolean {
    return this.#picture !== null;
  }

  /** Learns something of the server that is published with what comes next. */
  note(known: Partial<McpServer>): void {
    this.#server = { ...this.#server, ...known };
  }

  /** The server has answered: nothing of it is stale as a whole any more. */
  async reported(report: ServerReport, known: Partial<McpServer>, events: readonly SwarmlensEvent[]): Promise<void> {
    const seenAt = timestamp(this.#deps.clock);
    this.#removal?.[Symbol.dispose]();
    this.#removal = null;
    this.note({ ...known, stale: false, staleSince: null });
    this.#picture = assemble(this.#server, report, seenAt, this.#picture);
    await this.publish(events, seenAt);
  }

  /** The last known picture goes on, marked as such. */
  async unanswered(status: ServerStatus, reason: string, events: readonly SwarmlensEvent[]): Promise<void> {
    const { clock, store, removeAfterMs = null } = this.#deps;
    const { staleSince, id } = this.#server;
    this.note({ status, stale: true, staleSince: staleSince ?? timestamp(clock), lastError: reason });
    if (this.#picture !== null) this.#picture = staleCopy(this.#picture, this.#server, store.serverSeenAt(id));
    if (staleSince === null && removeAfterMs !== null) {
      this.#removal = clock.schedule(removeAfterMs, () => this.#remove(removeAfterMs));
    }
    await this.publish(events);
  }

  /** Tells events, and whatever else has changed. */
  async publish(events: readonly SwarmlensEvent[], seenAt: string | null = null): Promise<void> {
    const { store, bus, logger } = this.#deps;
    const picture = this.#picture ?? { server: this.#server, agents: [], swarms: [], edges: [] };
    const change = { ...store.diff({ ...picture, server: this.#server }, seenAt), events };
    if (seenAt === null && events.length === 0 && !changesState(change)) return;
    for (const event of events) {
      if (event.type === 'health') logger.info(event, 'server health changed');
    }
    await bus.publish(change);
  }

  [Symbol.dispose](): void {
    this.#removal?.[Symbol.dispose]();
    this.#removal = null;
  }

  #remove(afterMs: number): void {
    const { clock, logger } = this.#deps;
    const { id } = this.#server;
    const count = this.#picture?.agents.length ?? 0;
    this.#picture = null;
    const message = `${count} agents of ${id} are removed: it has been gone for ${Math.round(afterMs / 1000)} s`;
    const notice: Notice = {
      type: 'notice',
      code: 'AGENTS_REMOVED',
      severity: 'WARNING',
      message,
      serverId: id,
      timestamp: timestamp(clock),
    };
    this.publish(count === 0 ? [] : [notice])
      .catch((error: unknown) => logger.error({ serverId: id, error: messageOf(error) }, 'change was not published'))
      .finally(this.#onGone);
  }
}
