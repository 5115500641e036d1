import type { Clock } from '../shared/index.js';

const EVERY_MS = 600_000;

const MESSAGE =
  'everybody who reaches this server is served, sees all agents and may call the allowed tools: it was started with --insecure-no-auth; set swarmlens.auth to let in only who has a token';

/** Says again and again, from now on, that anybody is let in, so that it does not stay by oversight. */
export class InsecureModeWarning implements Disposable {
  readonly #clock: Clock;
  readonly #remind: (message: string) => void;
  #timer: Disposable;

  constructor(clock: Clock, remind: (message: string) => void) {
    this.#clock = clock;
    this.#remind = remind;
    this.#timer = this.#say();
  }

  #say(): Disposable {
    this.#remind(MESSAGE);
    return this.#clock.schedule(EVERY_MS, () => (this.#timer = this.#say()));
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }
}
