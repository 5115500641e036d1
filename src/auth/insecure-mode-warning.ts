import type { Clock } from '../shared/index.js';

const WARNING_INTERVAL_MS = 600_000;

const MESSAGE =
  'authentication is disabled by --insecure-no-auth: every client that reaches this server can see all agents and call the allowed tools; configure swarmlens.auth to require tokens';

/** Repeats a warning every ten minutes while the server accepts clients without authentication. */
export class InsecureModeWarning implements Disposable {
  readonly #clock: Clock;
  readonly #warn: (message: string) => void;
  #timer: Disposable;

  constructor(clock: Clock, warn: (message: string) => void) {
    this.#clock = clock;
    this.#warn = warn;
    this.#timer = this.#log();
  }

  #log(): Disposable {
    this.#warn(MESSAGE);
    return this.#clock.schedule(WARNING_INTERVAL_MS, () => (this.#timer = this.#log()));
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }
}
