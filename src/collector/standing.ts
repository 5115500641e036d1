import type { HealthChange, Notice, ServerReport, ServerStatus, SwarmlensEvent } from '../domain/index.js';
import type { ReplicaPool, PoolEvent } from '../replicas/index.js';
import type { Store } from '../state/index.js';
import type { Clock } from '../shared/index.js';
import type { Adapter } from '../adapters/index.js';
import { firstFailureMessage } from './assemble.js';
import { HealthTracker } from './health-log.js';
import type { ServerPublisher } from './picture-keeper.js';
import { ReplicaHealthTracker } from './replica-log.js';
import { ToolFailureTracker } from './tool-log.js';

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
