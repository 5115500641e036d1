import type { SwarmlensEvent } from '../../model/index.js';
import type { PoolEvent } from '../pool/replica-pool.js';
import type { HealthTracker } from './health-tracker.js';

/** Number of consecutive failed attempts that causes the first notice. Each doubling causes another one. */
const FIRST_REPORTED_ATTEMPT = 4;

/** Turns the pool events of one replica into health events, one per change. */
export class ReplicaHealthTracker {
  readonly #server: HealthTracker;
  readonly #replica: HealthTracker | null;
  #reportedAttempts = 0;

  /** @param replica Tracker of the replica. Null for the only replica, whose changes are those of the server. */
  constructor(server: HealthTracker, replica: HealthTracker | null) {
    this.#server = server;
    this.#replica = replica;
  }

  eventsFor({ replica, transition, failover }: PoolEvent): SwarmlensEvent[] {
    const events: SwarmlensEvent[] = [];
    if (transition !== null) {
      events.push(...(this.#replica ?? this.#server).updateCircuit(transition.to, transition.reason));
    }
    if (this.#replica !== null) events.push(...this.#replica.updateStatus(replica.status, replica.lastError));
    const { id, connection, failedAttempts, lastError } = replica;
    // The count restarts after an answer, and after a reconnect was requested for a replica that was given up.
    if (failedAttempts < this.#reportedAttempts && connection !== 'GIVEN_UP') this.#reportedAttempts = 0;
    if (connection === 'GIVEN_UP' && this.#reportedAttempts !== Infinity) {
      this.#reportedAttempts = Infinity;
      events.push(this.#server.notice('SERVER_GIVEN_UP', 'ERROR', `${id}: ${lastError ?? 'given up'}`));
    } else if (connection === 'LOST' && failedAttempts > this.#reportedAttempts && isReported(failedAttempts)) {
      this.#reportedAttempts = failedAttempts;
      const message = `Connecting to ${id} failed ${failedAttempts} times in a row, retrying: ${lastError ?? 'no answer'}`;
      events.push(this.#server.notice('RESTART_FAILED', 'WARNING', message));
    }
    if (failover !== null) {
      const { from, to } = failover;
      const message = `${to.id} replaces ${from.id}: ${from.lastError ?? 'no answer'}`;
      events.push(this.#server.notice('SERVER_FAILOVER', 'WARNING', message));
    }
    return events;
  }
}

function isReported(attempts: number): boolean {
  return attempts >= FIRST_REPORTED_ATTEMPT && Number.isInteger(Math.log2(attempts));
}
