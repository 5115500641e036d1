import type { Adapter } from '../../adapters/index.js';
import type { Bus } from '../../cluster/index.js';
import type {
  HealthChange,
  McpServer,
  Notice,
  OperationalEvent,
  ServerReport,
  ServerStatus,
  SwarmlensEvent,
} from '../../model/index.js';
import { type Clock, errorMessage, isoTimestamp, type Logger, nextTurn } from '../../shared/index.js';
import {
  hasStateChanges,
  serverSnapshot,
  type ServerSnapshot,
  type Store,
  toStaleSnapshot,
} from '../../state/index.js';
import { HealthTracker } from '../health/health-tracker.js';
import { ReplicaHealthTracker } from '../health/replica-health-tracker.js';
import { ToolFailureTracker } from '../health/tool-failure-tracker.js';
import type { LoopShare } from '../pool/loop-shares.js';
import type { PoolEvent, ReplicaPool } from '../pool/replica-pool.js';
import { buildServerSnapshot, firstProblem, limitReport, toAgentMessage } from './build-snapshot.js';
import { MAX_MESSAGES, MessageTracker } from './message-tracker.js';

export interface ServerPublisherDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Time in milliseconds after which the agents of a stale server are removed. Null keeps them forever. */
  readonly removeAfterMs: number | null;
  /** Maximum number of agents, and of swarms, of one server. */
  readonly maxAgentsPerServer: number;
}

/** Number of agents, swarms, edges and tasks of a snapshot that is built and published in separate turns of the event loop. */
const LARGE_SNAPSHOT = 500;

/**
 * Publishes the state of one server: owns its snapshot, status and staleness, and publishes what changes, together with
 * one event per change of its health. Continues with the state in the store if another node owned the server before.
 */
export class ServerPublisher implements Disposable {
  readonly #pool: ReplicaPool;
  readonly #deps: ServerPublisherDeps;
  readonly #onExpired: () => void;
  readonly #loopShare: Pick<LoopShare, 'measure'>;
  readonly #health: HealthTracker;
  readonly #toolFailures: ToolFailureTracker;
  readonly #replicaHealth: ReadonlyMap<string, ReplicaHealthTracker>;
  readonly #trackers: readonly HealthTracker[];
  readonly #messages: MessageTracker;
  #server: McpServer;
  #snapshot: ServerSnapshot | null;
  /** Failure message of a tool in the last report. */
  #toolError: string | null = null;
  /** Reason why a part of the state is unknown, in the last report. Undefined if there is none. */
  #limitation: string | undefined;
  #hasReported = false;
  #isClosed = false;
  #removal: Disposable | null = null;

  /**
   * @param loopShare Counts the time that changes take on the event loop.
   * @param onExpired Called after the agents of a server that was stale for `removeAfterMs` have been removed.
   */
  constructor(
    server: McpServer,
    pool: ReplicaPool,
    deps: ServerPublisherDeps,
    loopShare: Pick<LoopShare, 'measure'>,
    onExpired: () => void,
  ) {
    this.#server = server;
    this.#pool = pool;
    this.#deps = deps;
    this.#onExpired = onExpired;
    this.#loopShare = loopShare;
    const { id, staleSince } = server;
    const { store, clock } = deps;
    const lastSeenAt = store.serverLastSeenAt(id);
    this.#snapshot = lastSeenAt === null ? null : serverSnapshot(store, id);
    const messages = store.messages.since(0).events.filter((message) => message.serverId === id);
    this.#messages = new MessageTracker(messages, lastSeenAt);
    const previous = store.servers.get(id);
    const events = previous === undefined ? [] : store.events.since(0).events;
    const { circuitState = 'CLOSED' } = lastHealthChange(events, id, null) ?? {};
    this.#health = new HealthTracker(id, clock, null, previous && { status: previous.status, circuitState });
    this.#toolFailures = new ToolFailureTracker(this.#health);
    // The only replica of a server has no health of its own.
    const replicas = pool.replicas.map(({ id: replicaId }) => {
      const isOnly = pool.replicas.length === 1;
      const last = lastHealthChange(events, id, replicaId);
      return { replicaId, tracker: isOnly ? null : new HealthTracker(id, clock, replicaId, last) };
    });
    this.#trackers = [this.#health, ...replicas.flatMap(({ tracker }) => tracker ?? [])];
    this.#replicaHealth = new Map(
      replicas.map(({ replicaId, tracker }) => [replicaId, new ReplicaHealthTracker(this.#health, tracker)]),
    );
    if (staleSince !== null) this.#scheduleRemoval(clock.now() - Date.parse(staleSince));
  }

  get server(): McpServer {
    return this.#server;
  }

  get status(): ServerStatus {
    return this.#health.status;
  }

  /** Whether a snapshot of the server is known, from this or another node. */
  get hasSnapshot(): boolean {
    return this.#snapshot !== null;
  }

  /** Whether the server has reported since this node polls it. */
  get hasReported(): boolean {
    return this.#hasReported;
  }

  /** Sets properties of the server, which are published together with the next change. */
  updateServer(properties: Partial<McpServer>): void {
    this.#server = { ...this.#server, ...properties };
  }

  /** Publishes that all circuit breakers are closed, because those of a previous owner do not apply to this node. */
  async resetCircuits(): Promise<void> {
    await this.#publish(this.#trackers.flatMap((tracker) => tracker.updateCircuit('CLOSED', 'another node took over')));
  }

  /**
   * Returns the notices about failing tools, unreadable state and rejected values of a report.
   * @param rejectedBefore Number of values that the adapter had rejected before the poll.
   */
  reportNotices(
    { failures, limitation }: ServerReport,
    { rejectedCount, lastRejection }: Adapter,
    rejectedBefore: number,
  ): readonly Notice[] {
    const { id } = this.#server;
    const notices = [...this.#toolFailures.noticesFor(id, failures), ...this.#limitationNotices(limitation)];
    if (rejectedCount === rejectedBefore) return notices;
    const message = `Ignored ${rejectedCount} malformed values of ${id} so far, most recently: ${lastRejection ?? 'unknown'}`;
    return [...notices, ...this.#health.throttledNotice('AGENT_REJECTED', 'WARNING', message)];
  }

  /** Returns a notice if a part of the state has become unreadable, or is unreadable for another reason. */
  #limitationNotices(limitation: string | undefined): readonly Notice[] {
    const previous = this.#limitation;
    this.#limitation = limitation;
    if (limitation === undefined || limitation === previous) return [];
    return [this.#health.notice('STATE_UNREADABLE', 'WARNING', `${this.#server.id}: ${limitation}`)];
  }

  /** Publishes a report as the state of the server, which ends its staleness. Resolves with whether the state has changed. */
  async publishReport(
    report: ServerReport,
    tools: readonly string[],
    events: readonly SwarmlensEvent[] = [],
  ): Promise<boolean> {
    const { maxAgentsPerServer } = this.#deps;
    const limited = limitReport(report, maxAgentsPerServer);
    this.#toolError = firstProblem(limited);
    const { changes, lastError } = this.#updateAnsweringStatus();
    const seenAt = isoTimestamp(this.#deps.clock);
    this.#cancelRemoval();
    this.updateServer({ status: this.status, tools, lastError, stale: false, staleSince: null });
    this.#hasReported = true;
    const snapshot = this.#loopShare.measure(() =>
      buildServerSnapshot(this.#server, limited, seenAt, this.#snapshot, maxAgentsPerServer),
    );
    this.#snapshot = snapshot;
    const { agents, swarms, edges, tasks } = snapshot;
    if (agents.length + swarms.length + edges.length + tasks.length > LARGE_SNAPSHOT) await nextTurn();
    const listed = (report.messages ?? [])
      .slice(-MAX_MESSAGES)
      .map((message) => toAgentMessage(this.#server.id, message));
    return this.#publish([...changes, ...events, ...this.#messages.takeNew(listed)], seenAt);
  }

  /** Publishes the last known state as stale, because the server gives no usable answer. */
  async publishFailure(reason: string, events: readonly SwarmlensEvent[] = []): Promise<void> {
    const { clock, store } = this.#deps;
    const { staleSince, id } = this.#server;
    const changes = this.#updateStatus(this.#pool.isAvailable ? 'DEGRADED' : 'OFFLINE', reason);
    this.updateServer({
      ...(this.#pool.hasEnded ? { connectedAt: null } : {}),
      status: this.status,
      stale: true,
      staleSince: staleSince ?? isoTimestamp(clock),
      lastError: reason,
    });
    if (this.#snapshot !== null) {
      this.#snapshot = toStaleSnapshot(this.#snapshot, this.#server, store.serverLastSeenAt(id));
    }
    if (staleSince === null) this.#scheduleRemoval(0);
    await this.#publish([...events, ...changes]);
  }

  /** Publishes the events of one replica and their effect on the status of the server. */
  async publishPoolEvent(event: PoolEvent): Promise<void> {
    const { isAvailable, hasTriedAll, failureReason } = this.#pool;
    const events = this.#replicaHealth.get(event.replica.id)?.eventsFor(event) ?? [];
    if (!isAvailable && (hasTriedAll || this.#hasReported)) {
      return this.publishFailure(failureReason ?? 'not connected', events);
    }
    // Only the answer to a poll ends the staleness of a server.
    if (!this.#hasReported || this.#server.stale) {
      await this.#publish(events);
      return;
    }
    const { changes, lastError } = this.#updateAnsweringStatus();
    this.updateServer({ status: this.status, lastError });
    await this.#publish([...events, ...changes]);
  }

  /** Stops publishing. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#cancelRemoval();
  }

  /** Publishes the events and everything that differs from the store. Resolves with whether the state differs. */
  async #publish(events: readonly SwarmlensEvent[], seenAt: string | null = null): Promise<boolean> {
    // After the release of the server, its state belongs to another node.
    if (this.#isClosed) return false;
    const { store, bus, logger } = this.#deps;
    const snapshot = this.#snapshot ?? { agents: [], swarms: [], edges: [], tasks: [] };
    const delta = this.#loopShare.measure(() => ({
      ...store.diff({ ...snapshot, server: this.#server }, seenAt),
      events,
    }));
    const isChanged = hasStateChanges(delta);
    if (seenAt === null && events.length === 0 && !isChanged) return false;
    // The warning of the configuration has logged the mistakes of an entry.
    const isLogged = this.#pool.replicas.some(({ connection }) => connection !== 'UNUSABLE');
    for (const event of isLogged ? events : [])
      if (event.type !== 'message') logEvent(event, logger, this.#pool.hasEnded);
    await this.#loopShare.measure(() => bus.publish(delta));
    return isChanged;
  }

  /** Updates the status of a server that answers polls: degraded if one of its tools or replicas fails. */
  #updateAnsweringStatus(): { readonly changes: readonly SwarmlensEvent[]; readonly lastError: string | null } {
    const lastError = this.#toolError ?? this.#pool.failureReason;
    return { changes: this.#updateStatus(lastError === null ? 'ONLINE' : 'DEGRADED', lastError), lastError };
  }

  #updateStatus(status: ServerStatus, reason: string | null): readonly SwarmlensEvent[] {
    const breaker = this.#pool.primary?.replica.breaker;
    // With several replicas, the trackers of the replicas publish the circuit transitions.
    if (this.#pool.replicas.length > 1 && breaker !== undefined) this.#health.setCircuitSilently(breaker.state);
    return this.#health.updateStatus(status, reason, this.#pool.hasEnded);
  }

  /** @param elapsedMs Part of `removeAfterMs` that has passed, perhaps measured by the clock of another node. */
  #scheduleRemoval(elapsedMs: number): void {
    const { clock, removeAfterMs } = this.#deps;
    if (removeAfterMs === null) return;
    const remainingMs = Math.min(Math.max(0, removeAfterMs - elapsedMs), removeAfterMs);
    this.#removal = clock.schedule(remainingMs, () => this.#removeAgents(removeAfterMs));
  }

  #cancelRemoval(): void {
    this.#removal?.[Symbol.dispose]();
    this.#removal = null;
  }

  #removeAgents(afterMs: number): void {
    const { clock, logger } = this.#deps;
    const { id } = this.#server;
    const count = this.#snapshot?.agents.length ?? 0;
    this.#snapshot = null;
    this.#hasReported = false;
    const notice: Notice = {
      type: 'notice',
      code: 'AGENTS_REMOVED',
      severity: 'WARNING',
      message: `Removed ${count} agents of ${id}: offline for ${Math.round(afterMs / 1000)} s`,
      serverId: id,
      timestamp: isoTimestamp(clock),
    };
    this.#publish(count === 0 ? [] : [notice])
      .catch((error: unknown) => logger.error({ serverId: id, error: errorMessage(error) }, 'change was not published'))
      .finally(this.#onExpired);
  }
}

/** Codes of notices whose health change is logged. */
const CHANGE_CODES: ReadonlySet<string> = new Set([
  'SERVER_OFFLINE',
  'SERVER_DEGRADED',
  'SERVER_ONLINE',
  'SESSION_ENDED',
]);

/**
 * Logs a change of health or a notice: failures as warnings, recoveries as information.
 * @param hasEnded whether the session of the server has ended normally
 */
function logEvent(event: OperationalEvent, logger: Logger, hasEnded: boolean): void {
  if (event.type === 'health') {
    const isFailure = hasEnded ? false : event.status === 'OFFLINE' || event.circuitState === 'OPEN';
    logger[isFailure ? 'warn' : 'info'](event, 'server health changed');
  } else if (!CHANGE_CODES.has(event.code)) {
    const { code, serverId, message } = event;
    logger[event.severity === 'INFO' ? 'info' : 'warn']({ code, serverId }, message);
  }
}

function lastHealthChange(
  events: readonly OperationalEvent[],
  serverId: string,
  replicaId: string | null,
): HealthChange | undefined {
  return events
    .filter((event) => event.type === 'health')
    .findLast((event) => event.serverId === serverId && event.replicaId === replicaId);
}
