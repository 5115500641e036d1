import type { Connection, ConnectionListener } from '../connection/connection.js';
import type { GraphqlWsSession, Sink } from '../connection/graphql-ws-session.js';
import type { SwarmClientError } from '../errors.js';
import type { OperationError } from '../run-operation.js';
import { backoffDelayMs, type RetryDelays, type Runtime } from '../runtime.js';
import { SnapshotStore } from '../snapshot-store.js';
import { ConflatingIterator } from './conflating-iterator.js';
import type { LiveStream, StreamSnapshot } from './stream.js';

export interface BaseStreamDeps {
  readonly connection: Pick<Connection, 'attach'>;
  readonly retryDelays: RetryDelays;
  readonly runtime: Runtime;
}

/** Error codes after which a retry may succeed. Other codes end the stream. */
const TRANSIENT_CODES = new Set(['RATE_LIMITED', 'LIMIT_EXCEEDED', 'SERVER_UNAVAILABLE', 'INTERNAL_SERVER_ERROR']);

/**
 * Base class of all streams. A stream runs while it has observers, continues on every new connection, and retries after a
 * failure. Subclasses define the operation and apply its results.
 */
export abstract class BaseStream<TSnapshot extends StreamSnapshot, TUpdate> implements LiveStream<TSnapshot, TUpdate> {
  readonly #deps: BaseStreamDeps;
  readonly #store: SnapshotStore<TSnapshot>;
  readonly #iterators = new Set<ConflatingIterator<TUpdate>>();
  readonly #signal: AbortSignal | undefined;
  readonly #listener: ConnectionListener = {
    opened: (session) => this.#startOn(session),
    lost: () => this.#handleLost(),
    ended: (error) => this.#end(error),
  };
  /** Number of listeners and iterators. */
  #observerCount = 0;
  #detach: (() => void) | null = null;
  #session: GraphqlWsSession | null = null;
  #stop: (() => void) | null = null;
  #cancelRetry: (() => void) | null = null;
  #failures = 0;

  constructor(deps: BaseStreamDeps, initial: TSnapshot, signal: AbortSignal | undefined) {
    this.#deps = deps;
    this.#store = new SnapshotStore(initial);
    this.#signal = signal;
    if (signal?.aborted === true) this.#end(null);
    else signal?.addEventListener('abort', this.dispose, { once: true });
  }

  readonly getSnapshot = (): TSnapshot => this.#store.getSnapshot();

  readonly getServerSnapshot = (): TSnapshot => this.#store.getServerSnapshot();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#addObserver();
    let unsubscribe: (() => void) | null = this.#store.subscribe(listener);
    return () => {
      if (unsubscribe === null) return;
      unsubscribe();
      unsubscribe = null;
      this.#removeObserver();
    };
  };

  [Symbol.asyncIterator](): AsyncIterableIterator<TUpdate> {
    return new ConflatingIterator<TUpdate>({
      conflate: (waiting, next) => this.conflate(waiting, next),
      onStart: (iterator) => {
        this.#iterators.add(iterator);
        const first = this.initialUpdate();
        this.#addObserver();
        const { status, error } = this.getSnapshot();
        if (status !== 'ENDED') return first;
        iterator.end(error);
        return null;
      },
      onEnd: (iterator) => {
        if (this.#iterators.delete(iterator)) this.#removeObserver();
      },
    });
  }

  readonly dispose = (): void => this.#end(null);

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Starts the operations of the stream on a session. Returns a function that stops them. */
  protected abstract start(session: GraphqlWsSession): () => void;

  /** Returns the first update of a new iterator. Null if the stream has received nothing yet. */
  protected abstract initialUpdate(): TUpdate | null;

  /** Adds an update to those that a slow iterator has not consumed. The result must be bounded. */
  protected abstract conflate(waiting: readonly TUpdate[], next: TUpdate): readonly TUpdate[];

  /** Replaces a part of the snapshot. */
  protected patchSnapshot(change: Partial<TSnapshot>): void {
    this.#store.set({ ...this.getSnapshot(), ...change });
  }

  /** Replaces a part of the snapshot with data of the server, and marks the stream as live. */
  protected patchLiveSnapshot(change: Partial<TSnapshot>): void {
    this.#failures = 0;
    this.patchSnapshot({ ...change, status: 'LIVE', error: null });
  }

  /** Marks the stream as live before a response, because the server sends none while nothing changes. */
  protected markLive(): void {
    if (this.#failures === 0) this.#setStatus('LIVE', null);
  }

  /** Sends an update to all iterators. */
  protected publish(update: TUpdate): void {
    for (const iterator of [...this.#iterators]) iterator.push(update);
  }

  /** Stops the operations of the stream and starts them again on the same session. */
  protected restart(): void {
    if (this.#session !== null) this.#startOn(this.#session);
  }

  /** Creates a sink for one operation of the stream. The stream retries all of its operations if this one ends. */
  protected sink<TResult>(next: (result: TResult) => void): Sink<TResult> {
    return { next, error: (error) => this.handleFailure(error), complete: () => this.handleFailure(null) };
  }

  /** @param error null if the server completed the operation without an error */
  protected handleFailure(error: OperationError | null): void {
    if (error !== null && !TRANSIENT_CODES.has(error.code ?? 'INTERNAL_SERVER_ERROR')) {
      this.#end(error);
      return;
    }
    const { retryDelays, runtime } = this.#deps;
    this.#halt();
    this.#failures += 1;
    const delayMs = backoffDelayMs(this.#failures, retryDelays, () => runtime.random());
    this.#cancelRetry = runtime.schedule(Math.max(delayMs, error?.retryAfterMs ?? 0), () => this.restart());
    this.#setStatus('WAITING', error);
  }

  #addObserver(): void {
    this.#observerCount += 1;
    if (this.#observerCount > 1 || this.getSnapshot().status === 'ENDED') return;
    this.#setStatus('WAITING', null);
    this.#detach = this.#deps.connection.attach(this.#listener);
    // `attach` may have called `ended` before it returned.
    if (this.getSnapshot().status === 'ENDED') this.#leaveConnection();
  }

  #removeObserver(): void {
    this.#observerCount -= 1;
    if (this.#observerCount > 0 || this.getSnapshot().status === 'ENDED') return;
    this.#leaveConnection();
    this.#setStatus('IDLE', null);
  }

  #startOn(session: GraphqlWsSession): void {
    this.#halt();
    this.#session = session;
    this.#stop = this.start(session);
  }

  #handleLost(): void {
    this.#halt();
    this.#session = null;
    this.#setStatus('WAITING', null);
  }

  #end(error: OperationError | SwarmClientError | null): void {
    if (this.getSnapshot().status === 'ENDED') return;
    this.#signal?.removeEventListener('abort', this.dispose);
    this.#leaveConnection();
    this.#setStatus('ENDED', error);
    for (const iterator of [...this.#iterators]) iterator.end(error);
  }

  #leaveConnection(): void {
    this.#halt();
    this.#detach?.();
    this.#detach = null;
    this.#session = null;
  }

  #halt(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    const stop = this.#stop;
    this.#stop = null;
    stop?.();
  }

  #setStatus(status: StreamSnapshot['status'], error: StreamSnapshot['error']): void {
    const previous = this.getSnapshot();
    if (previous.status !== status || previous.error !== error) this.#store.set({ ...previous, status, error });
  }
}
