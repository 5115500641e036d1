import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { LimitCounters, LimitName } from './limit-counters.js';
import type { Limits } from '../../config/index.js';
import { identifyClient } from './client-identity.js';
import { ConcurrencyLimiter } from './concurrency-limiter.js';
import type { Clock } from '../../shared/index.js';

/** HTTP status and reason with which a connection is rejected. */
export interface AdmissionRejection {
  readonly status: 429 | 503;
  readonly reason: string;
}

/** Time for the first request of an excess connection to be answered before the connection is destroyed. */
const CLOSE_GRACE_MS = 1_000;

/**
 * Limits TCP connections in total and per address. The first request of an excess connection is answered with the reason.
 * Connections above twice the total limit are not accepted at all.
 */
export class ConnectionAdmission implements Disposable {
  readonly #server: Server;
  readonly #counters: LimitCounters;
  readonly #clock: Clock;
  readonly #addresses: ConcurrencyLimiter;
  readonly #total: ConcurrencyLimiter;
  readonly #rejected = new WeakMap<object, AdmissionRejection>();

  constructor(server: Server, limits: Limits, counters: LimitCounters, clock: Clock) {
    this.#server = server;
    this.#counters = counters;
    this.#clock = clock;
    this.#addresses = new ConcurrencyLimiter(limits.maxConnectionsPerAddress);
    this.#total = new ConcurrencyLimiter(limits.maxConnections);
    server.maxConnections = limits.maxConnections * 2;
    server.on('connection', this.#onConnection);
    server.on('drop', this.#onDrop);
  }

  /** Returns why a connection is rejected, or null if it is served. */
  rejectionFor(socket: object): AdmissionRejection | null {
    return this.#rejected.get(socket) ?? null;
  }

  [Symbol.dispose](): void {
    this.#server.off('connection', this.#onConnection);
    this.#server.off('drop', this.#onDrop);
  }

  readonly #onConnection = (socket: Socket): void => {
    const ofTotal = this.#total.acquire('');
    if (ofTotal === null) {
      this.#reject(socket, 'maxConnections', { status: 503, reason: 'Too many connections. Retry later.' });
      return;
    }
    const ofAddress = this.#addresses.acquire(identifyClient({ socket }).network);
    if (ofAddress === null) {
      ofTotal[Symbol.dispose]();
      const reason = 'Too many connections from your address. Close some of them.';
      this.#reject(socket, 'maxConnectionsPerAddress', { status: 429, reason });
      return;
    }
    socket.once('close', () => {
      ofTotal[Symbol.dispose]();
      ofAddress[Symbol.dispose]();
    });
  };

  readonly #onDrop = (): void => {
    this.#counters.hit('maxConnections');
  };

  #reject(socket: Socket, name: LimitName, rejection: AdmissionRejection): void {
    this.#counters.hit(name);
    this.#rejected.set(socket, rejection);
    const destruction = this.#clock.schedule(CLOSE_GRACE_MS, () => socket.destroy());
    socket.once('close', () => destruction[Symbol.dispose]());
  }
}
