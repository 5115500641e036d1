import type { Runtime } from '../runtime.js';
import {
  HealthChangesDocument,
  type HealthChangesSubscription,
  HealthDocument,
  type HealthQuery,
} from '../generated/operations.js';
import { BaseStream, type BaseStreamDeps } from './base-stream.js';
import type { GraphqlWsSession, Sink } from '../connection/graphql-ws-session.js';
import type { HealthStreamOptions, HealthStreamSnapshot } from './stream-types.js';

const EVERY_MS = 2_000;
const MAX_CHANGES = 100;

/** The figures, looked at now and then, and at once when the server tells of a change. */
export class PolledHealthStream extends BaseStream<HealthStreamSnapshot, HealthStreamSnapshot> {
  readonly #runtime: Runtime;
  readonly #everyMs: number;
  readonly #maxChanges: number;

  constructor(
    deps: BaseStreamDeps,
    { pollIntervalMs = EVERY_MS, maxChanges = MAX_CHANGES, signal }: HealthStreamOptions,
  ) {
    super(deps, { status: 'IDLE', error: null, health: null, changes: [] }, signal);
    this.#runtime = deps.surroundings;
    this.#everyMs = pollIntervalMs;
    this.#maxChanges = maxChanges;
  }

  protected start(session: GraphqlWsSession): () => void {
    const looks = new PollLoop(this.#runtime, this.#everyMs, (done) =>
      session.start(HealthDocument, {}, this.#answer(done)),
    );
    const stop = session.start(
      HealthChangesDocument,
      {},
      this.sink(({ healthChanges: change }: HealthChangesSubscription) => {
        this.patchSnapshot({ changes: [...this.getSnapshot().changes, change].slice(-this.#maxChanges) });
        looks.now();
      }),
    );
    looks.now();
    return () => {
      stop();
      looks.stop();
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

  #answer(done: () => void): Sink<HealthQuery> {
    const sink = this.sink(({ health }: HealthQuery) => {
      this.patchLiveSnapshot({ health });
      this.publish(this.getSnapshot());
    });
    return { ...sink, complete: done };
  }
}

/** One look at a time: at once when asked, otherwise a while after the last one. */
class PollLoop {
  readonly #runtime: Runtime;
  readonly #everyMs: number;
  readonly #look: (done: () => void) => () => void;
  #cancel: (() => void) | null = null;
  #isLooking = false;
  #isWanted = false;
  #isStopped = false;

  constructor(surroundings: Runtime, everyMs: number, look: (done: () => void) => () => void) {
    this.#runtime = surroundings;
    this.#everyMs = everyMs;
    this.#look = look;
  }

  now(): void {
    if (this.#isStopped) return;
    // What is under way may have been read before the change.
    this.#isWanted = this.#isLooking;
    if (this.#isLooking) return;
    this.#cancel?.();
    this.#isLooking = true;
    this.#cancel = this.#look(() => this.#done());
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
    this.#cancel = null;
  }

  #done(): void {
    this.#isLooking = false;
    if (this.#isWanted) this.now();
    else this.#cancel = this.#runtime.schedule(this.#everyMs, () => this.now());
  }
}
