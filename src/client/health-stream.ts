import type { Surroundings } from './clock.js';
import {
  HealthChangesDocument,
  type HealthChangesSubscription,
  HealthDocument,
  type HealthQuery,
} from './generated/operations.js';
import { Live, type LiveDeps } from './live.js';
import type { Session, Sink } from './session.js';
import type { HealthOptions, HealthSnapshot } from './streams.js';

const EVERY_MS = 2_000;
const MAX_CHANGES = 100;

/** The figures, looked at now and then, and at once when the server tells of a change. */
export class LiveHealth extends Live<HealthSnapshot, HealthSnapshot> {
  readonly #surroundings: Surroundings;
  readonly #everyMs: number;
  readonly #maxChanges: number;

  constructor(deps: LiveDeps, { everyMs = EVERY_MS, maxChanges = MAX_CHANGES, signal }: HealthOptions) {
    super(deps, { status: 'IDLE', error: null, health: null, changes: [] }, signal);
    this.#surroundings = deps.surroundings;
    this.#everyMs = everyMs;
    this.#maxChanges = maxChanges;
  }

  protected begin(session: Session): () => void {
    const looks = new Looks(this.#surroundings, this.#everyMs, (done) =>
      session.start(HealthDocument, {}, this.#answer(done)),
    );
    const stop = session.start(
      HealthChangesDocument,
      {},
      this.sink(({ healthChanges: change }: HealthChangesSubscription) => {
        this.show({ changes: [...this.getSnapshot().changes, change].slice(-this.#maxChanges) });
        looks.now();
      }),
    );
    looks.now();
    return () => {
      stop();
      looks.stop();
    };
  }

  protected greet(): HealthSnapshot | null {
    const snapshot = this.getSnapshot();
    return snapshot.health === null ? null : snapshot;
  }

  protected merge(_waiting: readonly HealthSnapshot[], next: HealthSnapshot): readonly HealthSnapshot[] {
    return [next];
  }

  #answer(done: () => void): Sink<HealthQuery> {
    const sink = this.sink(({ health }: HealthQuery) => {
      this.arrived({ health });
      this.publish(this.getSnapshot());
    });
    return { ...sink, done };
  }
}

/** One look at a time: at once when asked, otherwise a while after the last one. */
class Looks {
  readonly #surroundings: Surroundings;
  readonly #everyMs: number;
  readonly #look: (done: () => void) => () => void;
  #cancel: (() => void) | null = null;
  #isLooking = false;
  #isWanted = false;
  #isStopped = false;

  constructor(surroundings: Surroundings, everyMs: number, look: (done: () => void) => () => void) {
    this.#surroundings = surroundings;
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
    else this.#cancel = this.#surroundings.schedule(this.#everyMs, () => this.now());
  }
}
