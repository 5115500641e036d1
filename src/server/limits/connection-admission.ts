import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { LimitCounters, LimitName } from './limit-counters.js';
import type { Limits } from '../../config/index.js';
import { ConcurrencyLimiter } from './concurrency-limiter.js';
import type { Clock } from '../../shared/index.js';

/** Why a connection is not served. */
export interface AdmissionRejection {
  readonly status: 429 | 503;
  readonly reason: string;
}

/** A connection too many is kept this long, so that its request can be answered. */
const LAST_WORD_MS = 1_000;

/**
 * Counts connections, of whatever kind, and says which are too many. Those are not served: their first request is
 * answered with the reason. Twice as many as may be are not even accepted, whatever they wait for.
 */
export class ConnectionAdmission implements Disposable {
  readonly #server: Server;
  readonly #counters: LimitCounters;
  readonly #clock: Clock;
  readonly #addresses: ConcurrencyLimiter;
  readonly #all: ConcurrencyLimiter;
  readonly #refused = new WeakMap<object, AdmissionRejection>();

  constructor(server: Server, limits: Limits, counters: LimitCounters, clock: Clock) {
    this.#server = server;
    this.#counters = counters;
    this.#clock = clock;
    this.#addresses = new ConcurrencyLimiter(limits.maxConnectionsPerAddress);
    this.#all = new ConcurrencyLimiter(limits.maxConnections);
    server.maxConnections = limits.maxConnections * 2;
    server.on('connection', this.#onConnection);
    server.on('drop', this.#onDrop);
  }

  /** `null`: it is served. */
  rejectionFor(socket: object): AdmissionRejection | null {
    return this.#refused.get(socket) ?? null;
  }

  [Symbol.dispose](): void {
    this.#server.off('connection', this.#onConnection);
    this.#server.off('drop', this.#onDrop);
  }

  readonly #onConnection = (socket: Socket): void => {
    const all = this.#all.acquire('');
    if (all === null) {
      this.#refuse(socket, 'maxConnections', { status: 503, reason: 'the server has as many connections as it takes' });
      return;
    }
    const own = this.#addresses.acquire(toNetworkKey(socket.remoteAddress ?? ''));
    if (own === null) {
      all[Symbol.dispose]();
      const reason = 'your address has as many connections as one may have: close some of them';
      this.#refuse(socket, 'maxConnectionsPerAddress', { status: 429, reason });
      return;
    }
    socket.once('close', () => {
      all[Symbol.dispose]();
      own[Symbol.dispose]();
    });
  };

  readonly #onDrop = (): void => {
    this.#counters.hit('maxConnections');
  };

  #refuse(socket: Socket, name: LimitName, overload: AdmissionRejection): void {
    this.#counters.hit(name);
    this.#refused.set(socket, overload);
    const end = this.#clock.schedule(LAST_WORD_MS, () => socket.destroy());
    socket.once('close', () => end[Symbol.dispose]());
  }
}

/** Who has an IPv6 address has at least 2^64 of them. */
export function toNetworkKey(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : 8 - groups.length - last.length;
  return [...groups, ...Array<string>(Math.max(0, gap)).fill('0'), ...last].slice(0, 4).join(':');
}
