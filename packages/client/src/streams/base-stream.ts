import { backoffDelayMs, type RetryDelays, type Runtime } from '../runtime.js';
import type { Connection, ConnectionListener } from '../connection/connection.js';
import type { SwarmClientError } from '../errors.js';
import { ConflatingIterator } from './conflating-iterator.js';
import type { OperationError } from '../run-operation.js';
import type { GraphqlWsSession, Sink } from '../connection/graphql-ws-session.js';
import { SnapshotStore } from '../snapshot-store.js';
import type { LiveStream, StreamSnapshot } from './stream.js';

export interface BaseStreamDeps {
  readonly connection: Pick<Connection, 'attach'>;
  readonly pauses: RetryDelays;
  readonly surroundings: Runtime;
}

/** What the server may say otherwise in a while. After any other code, asking the same again gets the same answer. */
const PASSING = new Set(['RATE_LIMITED', 'LIMIT_EXCEEDED', 'SERVER_UNAVAILABLE', 'INTERNAL_SERVER_ERROR']);

/**
 * What all streams have in common: they run while somebody looks, over whatever session there is, and are tried again
 * when they fail. What they ask, and make of the answers, is theirs.
 */
export abstract class BaseStream<TSnapshot extends StreamSnapshot, TUpdate> implements LiveStream<TSnapshot, TUpdate> {
  readonly #deps: BaseStreamDeps;
  readonly #store: SnapshotStore<TSnapshot>;
  readonly #iterators = new Set<ConflatingIterator<TUpdate>>();
  readonly #signal: AbortSignal | undefined;
  readonly #user: ConnectionListener = {
    opened: (session) => this.#begin(session),
    lost: () => this.#pause(),
    ended: (error) => this.#end(error),
  };
  /** Listeners and iterations. */
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

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#enter();
    let unsubscribe: (() => void) | null = this.#store.subscribe(listener);
    return () => {
      if (unsubscribe === null) return;
      unsubscribe();
      unsubscribe = null;
      this.#exit();
    };
  };

  [Symbol.asyncIterator](): AsyncIterableIterator<TUpdate> {
    return new ConflatingIterator<TUpdate>({
      merge: (waiting, next) => this.conflate(waiting, next),
      onBegin: (mailbox) => {
        this.#iterators.add(mailbox);
        const first = this.initialUpdate();
        this.#enter();
        const { status, error } = this.getSnapshot();
        if (status !== 'ENDED') return first;
        mailbox.end(error);
        return null;
      },
      onLeave: (mailbox) => {
        if (this.#iterators.delete(mailbox)) this.#exit();
      },
    });
  }

  readonly dispose = (): void => this.#end(null);

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Starts what the stream consists of, on this session; call what it returns to stop all of it. */
  protected abstract start(session: GraphqlWsSession): () => void;

  /** What an iteration that begins now gets at once; `null`: nothing has come yet. */
  protected abstract initialUpdate(): TUpdate | null;

  /** Adds an update to those that a slow iteration has not taken yet. */
  protected abstract conflate(waiting: readonly TUpdate[], next: TUpdate): readonly TUpdate[];

  /** Shows something else. */
  protected patchSnapshot(change: Partial<TSnapshot>): void {
    this.#store.set({ ...this.getSnapshot(), ...change });
  }

  /** Shows what the server has told: the stream is live. */
  protected patchLiveSnapshot(change: Partial<TSnapshot>): void {
    this.#failures = 0;
    this.patchSnapshot({ ...change, status: 'LIVE', error: null });
  }

  /** What is shown is still right, or will be with the next answer, of which there need not be one. */
  protected markLive(): void {
    if (this.#failures === 0) this.#showStatus('LIVE', null);
  }

  /** Gives an update to all who iterate. */
  protected publish(update: TUpdate): void {
    for (const mailbox of [...this.#iterators]) mailbox.push(update);
  }

  /** Stops what runs and begins again, on the same session. */
  protected restart(): void {
    if (this.#session !== null) this.#begin(this.#session);
  }

  /** Who gets the answers of an operation that is a part of the stream: when that fails or ends, all of it is tried again. */
  protected sink<TResult>(next: (result: TResult) => void): Sink<TResult> {
    return { next, error: (error) => this.handleFailure(error), complete: () => this.handleFailure(null) };
  }

  /** @param error `null`: the server has ended it without a word */
  protected handleFailure(error: OperationError | null): void {
    if (error !== null && !PASSING.has(error.code ?? 'INTERNAL_SERVER_ERROR')) {
      this.#end(error);
      return;
    }
    const { pauses, surroundings } = this.#deps;
    this.#halt();
    this.#failures += 1;
    const delayMs = backoffDelayMs(this.#failures, pauses, () => surroundings.random());
    this.#cancelRetry = surroundings.schedule(Math.max(delayMs, error?.retryAfterMs ?? 0), () => this.restart());
    this.#showStatus('WAITING', error);
  }

  #enter(): void {
    this.#observerCount += 1;
    if (this.#observerCount > 1 || this.getSnapshot().status === 'ENDED') return;
    this.#showStatus('WAITING', null);
    this.#detach = this.#deps.connection.attach(this.#user);
    // It may have been told the end while it joined.
    if (this.getSnapshot().status === 'ENDED') this.#depart();
  }

  #exit(): void {
    this.#observerCount -= 1;
    if (this.#observerCount > 0 || this.getSnapshot().status === 'ENDED') return;
    this.#depart();
    this.#showStatus('IDLE', null);
  }

  #begin(session: GraphqlWsSession): void {
    this.#halt();
    this.#session = session;
    this.#stop = this.start(session);
  }

  /** The session is gone. */
  #pause(): void {
    this.#halt();
    this.#session = null;
    this.#showStatus('WAITING', null);
  }

  #end(error: OperationError | SwarmClientError | null): void {
    if (this.getSnapshot().status === 'ENDED') return;
    this.#signal?.removeEventListener('abort', this.dispose);
    this.#depart();
    this.#showStatus('ENDED', error);
    for (const mailbox of [...this.#iterators]) mailbox.end(error);
  }

  #depart(): void {
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

  #showStatus(status: StreamSnapshot['status'], error: StreamSnapshot['error']): void {
    const before = this.getSnapshot();
    if (before.status !== status || before.error !== error) this.#store.set({ ...before, status, error });
  }
}
