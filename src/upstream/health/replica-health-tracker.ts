import type { SwarmlensEvent } from '../../model/index.js';
import type { PoolEvent } from '../pool/replica-pool.js';
import type { HealthTracker } from './health-tracker.js';

/** Attempts in a row that led to nothing and are told: this many, twice as many, four times as many, … */
const FIRST_TOLD_ATTEMPT = 4;

/** What of one replica's life is told: each thing once, in order. */
export class ReplicaHealthTracker {
  readonly #server: HealthTracker;
  readonly #own: HealthTracker | null;
  #reportedAttempts = 0;

  /** @param own where it is one of several; the only one has the server's */
  constructor(server: HealthTracker, own: HealthTracker | null) {
    this.#server = server;
    this.#own = own;
  }

  /** The events of what has happened to it. */
  eventsFor({ replica, transition, failover }: PoolEvent): SwarmlensEvent[] {
    const events: SwarmlensEvent[] = [];
    if (transition !== null)
      events.push(...(this.#own ?? this.#server).updateCircuit(transition.to, transition.reason));
    if (this.#own !== null) events.push(...this.#own.updateStatus(replica.status, replica.lastError));
    const { id, connection, failedAttempts, lastError } = replica;
    // It has answered since, or is tried again after it was given up: that is another row of attempts.
    if (failedAttempts < this.#reportedAttempts && connection !== 'GIVEN_UP') this.#reportedAttempts = 0;
    if (connection === 'GIVEN_UP' && this.#reportedAttempts !== Infinity) {
      this.#reportedAttempts = Infinity;
      events.push(this.#server.notice('SERVER_GIVEN_UP', 'ERROR', `${id}: ${lastError ?? 'given up'}`));
    } else if (connection === 'LOST' && failedAttempts > this.#reportedAttempts && isWorthTelling(failedAttempts)) {
      this.#reportedAttempts = failedAttempts;
      const message = `${id} could not be connected ${failedAttempts} times in a row, and is tried again: ${lastError ?? ''}`;
      events.push(this.#server.notice('RESTART_FAILED', 'WARNING', message));
    }
    if (failover !== null) {
      const { from, to } = failover;
      const message = `${to.id} goes on in the place of ${from.id}: ${from.lastError ?? 'it does not answer'}`;
      events.push(this.#server.notice('SERVER_FAILOVER', 'WARNING', message));
    }
    return events;
  }
}

function isWorthTelling(attempts: number): boolean {
  return attempts >= FIRST_TOLD_ATTEMPT && Number.isInteger(Math.log2(attempts));
}
