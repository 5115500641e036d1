import { BulkheadFullError, ClientShareExceededError } from './errors.js';

export interface FairBulkheadOptions {
  /** Maximum number of running calls; at least 1. */
  readonly maxConcurrent: number;
  /** Maximum number of waiting own calls, and of waiting calls of all clients together; at least 0. */
  readonly maxQueued: number;
  /** Maximum number of waiting calls of one client; at least 0. */
  readonly maxQueuedPerClient: number;
}

interface WaitingCall {
  readonly start: () => void;
  readonly reject: (error: unknown) => void;
}

/** Calls of one party: of swarmlens itself, or of one client. */
interface PartyCalls {
  /** Null for swarmlens itself. */
  readonly clientId: string | null;
  running: number;
  readonly waiting: WaitingCall[];
}

/** Limits of the delay after which a rejected client may retry, in milliseconds. */
const MIN_RETRY_AFTER_MS = 100;
const MAX_RETRY_AFTER_MS = 60_000;
/** Weight of the latest call in the mean duration of calls. */
const MEAN_WEIGHT = 0.2;

/**
 * Limits the number of concurrent calls and shares the slots fairly between swarmlens itself and each client. Clients never
 * take the last of several slots, and one client takes at most half of the others. If both wait, swarmlens and the clients
 * take turns, and so do the clients among themselves. If too many calls of clients wait, the client with the most waiting
 * calls loses its latest one.
 */
export class FairBulkhead {
  readonly #options: FairBulkheadOptions;
  readonly #now: () => number;
  readonly #maxOfClients: number;
  readonly #maxPerClient: number;
  readonly #own: PartyCalls = { clientId: null, running: 0, waiting: [] };
  /** Clients with calls, in the order in which they are served next. */
  readonly #clients = new Map<string, PartyCalls>();
  #runningOfClients = 0;
  #waitingOfClients = 0;
  #isTurnOfClients = false;
  #meanMs = 0;

  /** @param now Returns the time in milliseconds on a monotonic clock. */
  constructor(options: FairBulkheadOptions, now: () => number) {
    this.#options = options;
    this.#now = now;
    this.#maxOfClients = Math.max(1, options.maxConcurrent - 1);
    this.#maxPerClient = Math.ceil(this.#maxOfClients / 2);
  }

  get running(): number {
    return this.#own.running + this.#runningOfClients;
  }

  get waiting(): number {
    return this.#own.waiting.length + this.#waitingOfClients;
  }

  /**
   * Runs a call as soon as its party has a free slot.
   * @param clientId Client of the call. Null for swarmlens' own calls: polls, probes, handshakes and lists of tools.
   * @throws BulkheadFullError if too many own calls wait
   * @throws ClientShareExceededError if too many calls of the client, or of all clients, wait
   * @throws the reason of `signal` if it aborts before the call starts
   */
  async execute<T>(clientId: string | null, signal: AbortSignal, run: () => Promise<T>): Promise<T> {
    const party = clientId === null ? this.#own : this.#client(clientId);
    if (party.waiting.length === 0 && this.#canStart(party)) this.#occupy(party);
    else await this.#wait(party, signal);
    const startMs = this.#now();
    try {
      return await run();
    } finally {
      const durationMs = this.#now() - startMs;
      this.#meanMs += (durationMs - this.#meanMs) * (this.#meanMs === 0 ? 1 : MEAN_WEIGHT);
      this.#release(party);
    }
  }

  #client(clientId: string): PartyCalls {
    let client = this.#clients.get(clientId);
    if (client === undefined) this.#clients.set(clientId, (client = { clientId, running: 0, waiting: [] }));
    return client;
  }

  #canStart({ clientId, running }: PartyCalls): boolean {
    if (this.running >= this.#options.maxConcurrent) return false;
    return clientId === null || (this.#runningOfClients < this.#maxOfClients && running < this.#maxPerClient);
  }

  #occupy(party: PartyCalls): void {
    party.running += 1;
    if (party.clientId === null) return;
    this.#runningOfClients += 1;
    this.#serveLast(party.clientId, party);
  }

  #release(party: PartyCalls): void {
    party.running -= 1;
    if (party.clientId !== null) {
      this.#runningOfClients -= 1;
      this.#serveLast(party.clientId, party);
    }
    this.#forgetIfIdle(party);
    this.#startWaiting();
  }

  /** Moves a client, which has just been served, behind all others. */
  #serveLast(clientId: string, client: PartyCalls): void {
    this.#clients.delete(clientId);
    this.#clients.set(clientId, client);
  }

  #wait(party: PartyCalls, signal: AbortSignal): Promise<void> {
    this.#makeRoomFor(party);
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        if (this.#remove(party, call)) reject(signal.reason as Error); // the caller aborts with an error
      };
      const settle = <A extends unknown[]>(then: (...args: A) => void): ((...args: A) => void) => {
        return (...args) => {
          signal.removeEventListener('abort', abort);
          then(...args);
        };
      };
      const call: WaitingCall = { start: settle(resolve), reject: settle(reject) };
      party.waiting.push(call);
      if (party.clientId !== null) this.#waitingOfClients += 1;
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  /** @throws BulkheadFullError or ClientShareExceededError if no further call of the party may wait */
  #makeRoomFor(party: PartyCalls): void {
    const { maxQueued, maxQueuedPerClient } = this.#options;
    if (party.clientId === null) {
      if (party.waiting.length >= maxQueued) throw new BulkheadFullError();
      return;
    }
    if (party.waiting.length < maxQueuedPerClient && this.#waitingOfClients < maxQueued) return;
    const longest = this.#clientWithMostWaiting();
    const victim = longest !== null && longest.waiting.length > party.waiting.length + 1 ? longest : party;
    const error = new ClientShareExceededError(victim.waiting.length, this.#retryAfterMs(victim));
    const last = victim === party || party.waiting.length >= maxQueuedPerClient ? undefined : victim.waiting.at(-1);
    if (last === undefined) {
      this.#forgetIfIdle(party);
      throw error;
    }
    this.#remove(victim, last);
    last.reject(error);
  }

  #clientWithMostWaiting(): PartyCalls | null {
    let longest: PartyCalls | null = null;
    for (const client of this.#clients.values()) {
      if (client.waiting.length > (longest?.waiting.length ?? 0)) longest = client;
    }
    return longest;
  }

  /** Estimates the time in milliseconds until the waiting calls of a client have been served. */
  #retryAfterMs({ waiting }: PartyCalls): number {
    const clients = Math.max(1, this.#clients.size);
    const roundMs = (this.#meanMs * clients) / this.#maxOfClients;
    return Math.round(Math.min(MAX_RETRY_AFTER_MS, Math.max(MIN_RETRY_AFTER_MS, roundMs * (waiting.length + 1))));
  }

  #startWaiting(): void {
    for (let party = this.#next(); party !== null; party = this.#next()) {
      const call = party.waiting.shift();
      if (call === undefined) return;
      if (party.clientId !== null) this.#waitingOfClients -= 1;
      this.#isTurnOfClients = party.clientId === null;
      this.#occupy(party);
      call.start();
    }
  }

  /** Returns the party whose waiting call starts next. Null if none waits or may start. */
  #next(): PartyCalls | null {
    const own = this.#own.waiting.length > 0 && this.#canStart(this.#own) ? this.#own : null;
    if (own !== null && !this.#isTurnOfClients) return own;
    for (const client of this.#clients.values()) {
      if (client.waiting.length > 0 && this.#canStart(client)) return client;
    }
    return own;
  }

  #remove(party: PartyCalls, call: WaitingCall): boolean {
    const index = party.waiting.indexOf(call);
    if (index < 0) return false;
    party.waiting.splice(index, 1);
    if (party.clientId !== null) this.#waitingOfClients -= 1;
    this.#forgetIfIdle(party);
    return true;
  }

  #forgetIfIdle({ clientId, running, waiting }: PartyCalls): void {
    if (clientId !== null && running === 0 && waiting.length === 0) this.#clients.delete(clientId);
  }
}
