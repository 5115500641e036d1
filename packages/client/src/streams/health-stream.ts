import type { GraphqlWsSession, Sink } from '../connection/graphql-ws-session.js';
import {
  HealthChangesDocument,
  type HealthChangesSubscription,
  HealthDocument,
  type HealthQuery,
} from '../generated/operations.js';
import type { Runtime } from '../runtime.js';
import { BaseStream, type BaseStreamDeps } from './base-stream.js';
import type { HealthStreamOptions, HealthStreamSnapshot } from './stream-types.js';

const POLL_INTERVAL_MS = 2_000;
const MAX_CHANGES = 100;

/** Stream of health data. Polls the health, and polls immediately when the server reports a health change. */
export class PolledHealthStream extends BaseStream<HealthStreamSnapshot, HealthStreamSnapshot> {
  readonly #runtime: Runtime;
  readonly #pollIntervalMs: number;
  readonly #maxChanges: number;

  constructor(
    deps: BaseStreamDeps,
    { pollIntervalMs = POLL_INTERVAL_MS, maxChanges = MAX_CHANGES, signal }: HealthStreamOptions,
  ) {
    super(deps, { status: 'IDLE', error: null, health: null, changes: [] }, signal);
    this.#runtime = deps.runtime;
    this.#pollIntervalMs = pollIntervalMs;
    this.#maxChanges = maxChanges;
  }

  protected start(session: GraphqlWsSession): () => void {
    const polls = new PollLoop(this.#runtime, this.#pollIntervalMs, (onDone) =>
      session.start(HealthDocument, {}, this.#createPollSink(onDone)),
    );
    const stop = session.start(
      HealthChangesDocument,
      {},
      this.sink(({ healthChanges: change }: HealthChangesSubscription) => {
        this.patchSnapshot({ changes: [...this.getSnapshot().changes, change].slice(-this.#maxChanges) });
        polls.pollNow();
      }),
    );
    polls.pollNow();
    return () => {
      stop();
      polls.stop();
    };
  }

  protected initialUpdate(): HealthStreamSnapshot | null {
    const snapshot = this.getSnapshot();
    return snapshot.health === null ? null : snapshot;
  }

  protected conflate(
    _waiting: readonly HealthStreamSnapshot[],
    next: HealthStreamSnapshot,
  ): readonly HealthStreamSnapshot[] {
    return [next];
  }

  #createPollSink(onDone: () => void): Sink<HealthQuery> {
    const sink = this.sink(({ health }: HealthQuery) => {
      this.patchLiveSnapshot({ health });
      this.publish(this.getSnapshot());
    });
    return { ...sink, complete: onDone };
  }
}

/** Runs one poll at a time: immediately on request, otherwise one interval after the previous poll. */
class PollLoop {
  readonly #runtime: Runtime;
  readonly #intervalMs: number;
  readonly #poll: (onDone: () => void) => () => void;
  #cancel: (() => void) | null = null;
  #isPolling = false;
  #isRequested = false;
  #isStopped = false;

  constructor(runtime: Runtime, intervalMs: number, poll: (onDone: () => void) => () => void) {
    this.#runtime = runtime;
    this.#intervalMs = intervalMs;
    this.#poll = poll;
  }

  pollNow(): void {
    if (this.#isStopped) return;
    // A poll in flight may have read the state before the change, so another one follows it.
    this.#isRequested = this.#isPolling;
    if (this.#isPolling) return;
    this.#cancel?.();
    this.#isPolling = true;
    this.#cancel = this.#poll(() => this.#handleDone());
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
    this.#cancel = null;
  }

  #handleDone(): void {
    this.#isPolling = false;
    if (this.#isRequested) this.pollNow();
    else this.#cancel = this.#runtime.schedule(this.#intervalMs, () => this.pollNow());
  }
}
