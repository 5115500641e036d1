import type { HealthChange, Notice, ServerReport, ServerStatus, SwarmlensEvent } from '../domain/index.js';
import type { Pool, PoolEvent } from '../replicas/index.js';
import type { Store } from '../state/index.js';
import type { Clock } from '../shared/index.js';
import type { Adapter } from '../adapters/index.js';
import { lastErrorOf } from './assemble.js';
import { HealthLog } from './health-log.js';
import type { PictureKeeper } from './picture-keeper.js';
import { ReplicaLog } from './replica-log.js';
import { ToolLog } from './tool-log.js';

/** How a server stands, from its polls and its replicas: its status, whether it is stale, and what is told of both. */
export class Standing {
  readonly #serverId: string;
  readonly #pool: Pool;
  readonly #keeper: PictureKeeper;
  readonly #health: HealthLog;
  readonly #toolLog: ToolLog;
  readonly #replicaLogs: ReadonlyMap<string, ReplicaLog>;
  readonly #logs: readonly HealthLog[];
  /** Of the last report. */
  #toolError: string | null = null;

  /** Goes on from what the store has of the server, if another node has watched it before. */
  constructor(pool: Pool, keeper: PictureKeeper, { store, clock }: { readonly store: Store; readonly clock: Clock }) {
    const { id: serverId } = keeper.server;
    this.#serverId = serverId;
    this.#pool = pool;
    this.#keeper = keeper;
    const known = store.servers.get(serverId);
    const told = known === undefined ? [] : store.events.since(0).events;
    const { circuitState = 'CLOSED' } = lastTold(told, serverId, null) ?? {};
    this.#health = new HealthLog(serverId, clock, null, known && { status: known.status, circuitState });
    this.#toolLog = new ToolLog(this.#health);
    const own =
      pool.replicas.length === 1
        ? []
        : pool.replicas.map(({ id }) => {
            return [id, new HealthLog(serverId, clock, id, lastTold(told, serverId, id))] as const;
          });
    const logs = new Map<string, HealthLog>(own);
    this.#logs = [this.#health, ...logs.values()];
    this.#replicaLogs = new Map(
      pool.replicas.map(({ id }) => [id, new ReplicaLog(this.#health, logs.get(id) ?? null)]),
    );
  }

  /** What has to be told first: the breakers of a node that has just begun to watch are closed, whatever others' were. */
  begun(): readonly SwarmlensEvent[] {
    return this.#logs.flatMap((log) => log.toCircuit('CLOSED', 'another node watches it from now on'));
  }

  get status(): ServerStatus {
    return this.#health.status;
  }

  /** What an answered poll makes a person see, beside the picture. */
  noticesOf(report: ServerReport, { rejected, lastRejection }: Adapter, rejectedBefore: number): readonly Notice[] {
    const tools = this.#toolLog.take(this.#serverId, report.failures);
    if (rejected === rejectedBefore) return tools;
    const message = `${this.#serverId} reported ${rejected} malformed values so far; they are left out; the last one: ${lastRejection ?? 'unknown'}`;
    return [...tools, ...this.#health.rareNotice('AGENT_REJECTED', 'WARNING', message)];
  }

  /** The server has told what there is. */
  async reported(report: ServerReport, tools: readonly string[], events: readonly SwarmlensEvent[]): Promise<void> {
    this.#toolError = lastErrorOf(report);
    const { changes, lastError } = this.#asAnswered();
    await this.#keeper.reported(report, { status: this.status, tools, lastError }, [...changes, ...events]);
  }

  /** Nothing new can be had of the server. */
  async unanswered(reason: string, events: readonly SwarmlensEvent[]): Promise<void> {
    const changes = this.#toStatus(this.#pool.canAnswer ? 'DEGRADED' : 'OFFLINE', reason);
    await this.#keeper.unanswered(this.status, reason, [...events, ...changes]);
  }

  /** Something of a replica has changed: it is told, and so is what that makes of the server. */
  async heard(event: PoolEvent): Promise<void> {
    const { canAnswer, isTried, trouble } = this.#pool;
    const { server, hasReported } = this.#keeper;
    const events = this.#replicaLogs.get(event.replica.id)?.take(event) ?? [];
    if (!canAnswer && (isTried || hasReported)) return this.unanswered(trouble ?? 'not connected', events);
    // A picture that is old, or has never been, is better only once a poll has been answered.
    if (!hasReported || server.stale) return this.#keeper.publish(events);
    const { changes, lastError } = this.#asAnswered();
    this.#keeper.note({ status: this.status, lastError });
    await this.#keeper.publish([...events, ...changes]);
  }

  /** As long as polls are answered, what is wrong is a tool, or one of several replicas. */
  #asAnswered(): { readonly changes: readonly SwarmlensEvent[]; readonly lastError: string | null } {
    const lastError = this.#toolError ?? this.#pool.trouble;
    return { changes: this.#toStatus(lastError === null ? 'ONLINE' : 'DEGRADED', lastError), lastError };
  }

  #toStatus(status: ServerStatus, reason: string | null): readonly SwarmlensEvent[] {
    const breaker = this.#pool.seat?.replica.breaker;
    // Of several replicas each tells its own transitions.
    if (this.#pool.replicas.length > 1 && breaker !== undefined) this.#health.noteCircuit(breaker.state);
    return this.#health.toStatus(status, reason);
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
