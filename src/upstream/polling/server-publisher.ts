import type { Bus } from '../../cluster/index.js';
import type { HealthChange, McpServer, Notice, ServerReport, ServerStatus, SwarmlensEvent } from '../../model/index.js';
import { type Clock, errorMessage, isoTimestamp } from '../../shared/index.js';
import {
  hasStateChanges,
  serverSnapshot,
  type ServerSnapshot,
  type Store,
  toStaleSnapshot,
} from '../../state/index.js';
import type { Logger } from '../../telemetry/index.js';
import { buildServerSnapshot, firstFailureMessage } from './build-snapshot.js';
import type { PoolEvent, ReplicaPool } from '../pool/replica-pool.js';
import type { Adapter } from '../../adapters/index.js';
import { HealthTracker } from '../health/health-tracker.js';
import { ReplicaHealthTracker } from '../health/replica-health-tracker.js';
import { ToolFailureTracker } from '../health/tool-failure-tracker.js';

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

/** How a server stands, from its polls and its replicas: its status, whether it is stale, and what is told of both. */
export class Standing {
  readonly #serverId: string;
  readonly #pool: ReplicaPool;
  readonly #publisher: ServerPublisher;
  readonly #health: HealthTracker;
  readonly #toolLog: ToolFailureTracker;
  readonly #replicaLogs: ReadonlyMap<string, ReplicaHealthTracker>;
  readonly #logs: readonly HealthTracker[];
  /** Of the last report. */
  #toolError: string | null = null;

  /** Goes on from what the store has of the server, if another node has watched it before. */
  constructor(
    pool: ReplicaPool,
    keeper: ServerPublisher,
    { store, clock }: { readonly store: Store; readonly clock: Clock },
  ) {
    const { id: serverId } = keeper.server;
    this.#serverId = serverId;
    this.#pool = pool;
    this.#publisher = keeper;
    const known = store.servers.get(serverId);
    const told = known === undefined ? [] : store.events.since(0).events;
    const { circuitState = 'CLOSED' } = lastTold(told, serverId, null) ?? {};
    this.#health = new HealthTracker(serverId, clock, null, known && { status: known.status, circuitState });
    this.#toolLog = new ToolFailureTracker(this.#health);
    const own =
      pool.replicas.length === 1
        ? []
        : pool.replicas.map(({ id }) => {
            return [id, new HealthTracker(serverId, clock, id, lastTold(told, serverId, id))] as const;
          });
    const logs = new Map<string, HealthTracker>(own);
    this.#logs = [this.#health, ...logs.values()];
    this.#replicaLogs = new Map(
      pool.replicas.map(({ id }) => [id, new ReplicaHealthTracker(this.#health, logs.get(id) ?? null)]),
    );
  }

  /** What has to be told first: the breakers of a node that has just begun to watch are closed, whatever others' were. */
  resetCircuits(): readonly SwarmlensEvent[] {
    return this.#logs.flatMap((log) => log.updateCircuit('CLOSED', 'another node watches it from now on'));
  }

  get status(): ServerStatus {
    return this.#health.status;
  }

  /** What an answered poll makes a person see, beside the picture. */
  reportNotices(
    report: ServerReport,
    { rejectedCount, lastRejection }: Adapter,
    rejectedBefore: number,
  ): readonly Notice[] {
    const tools = this.#toolLog.noticesFor(this.#serverId, report.failures);
    if (rejectedCount === rejectedBefore) return tools;
    const message = `${this.#serverId} reported ${rejectedCount} malformed values so far; they are left out; the last one: ${lastRejection ?? 'unknown'}`;
    return [...tools, ...this.#health.throttledNotice('AGENT_REJECTED', 'WARNING', message)];
  }

  /** The server has told what there is. */
  async publishReport(
    report: ServerReport,
    tools: readonly string[],
    events: readonly SwarmlensEvent[],
  ): Promise<void> {
    this.#toolError = firstFailureMessage(report);
    const { changes, lastError } = this.#asAnswered();
    await this.#publisher.publishReport(report, { status: this.status, tools, lastError }, [...changes, ...events]);
  }

  /** Nothing new can be had of the server. */
  async publishFailure(reason: string, events: readonly SwarmlensEvent[]): Promise<void> {
    const changes = this.#toStatus(this.#pool.isAvailable ? 'DEGRADED' : 'OFFLINE', reason);
    await this.#publisher.publishFailure(this.status, reason, [...events, ...changes]);
  }

  /** Something of a replica has changed: it is told, and so is what that makes of the server. */
  async publishPoolEvent(event: PoolEvent): Promise<void> {
    const { isAvailable, hasTriedAll, failureReason } = this.#pool;
    const { server, hasReported } = this.#publisher;
    const events = this.#replicaLogs.get(event.replica.id)?.eventsFor(event) ?? [];
    if (!isAvailable && (hasTriedAll || hasReported))
      return this.publishFailure(failureReason ?? 'not connected', events);
    // A picture that is old, or has never been, is better only once a poll has been answered.
    if (!hasReported || server.stale) return this.#publisher.publishEvents(events);
    const { changes, lastError } = this.#asAnswered();
    this.#publisher.updateServer({ status: this.status, lastError });
    await this.#publisher.publishEvents([...events, ...changes]);
  }

  /** As long as polls are answered, what is wrong is a tool, or one of several replicas. */
  #asAnswered(): { readonly changes: readonly SwarmlensEvent[]; readonly lastError: string | null } {
    const lastError = this.#toolError ?? this.#pool.failureReason;
    return { changes: this.#toStatus(lastError === null ? 'ONLINE' : 'DEGRADED', lastError), lastError };
  }

  #toStatus(status: ServerStatus, reason: string | null): readonly SwarmlensEvent[] {
    const breaker = this.#pool.primary?.replica.breaker;
    // Of several replicas each tells its own transitions.
    if (this.#pool.replicas.length > 1 && breaker !== undefined) this.#health.setCircuitSilently(breaker.state);
    return this.#health.updateStatus(status, reason);
  }
}

function lastTold(
  events: readonly SwarmlensEvent[],
  serverId: string,
  replicaId: string | null,
): HealthChange | undefined {
  return events
    .filter((event) => event.type === 'health')
    .findLast((event) => event.serverId === serverId && event.replicaId === replicaId);
}
