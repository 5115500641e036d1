/** Number of announced changes in a row after which a server is trusted for the first time, and after its first failure. */
const INITIAL_REQUIREMENT = 3;
const MAX_REQUIREMENT = 1_024;

/**
 * Decides whether a server announces all of its changes by notifications about resources, so that it need not be polled at the
 * demanded rate. Servers declare such notifications without sending them, and send them for other data. Only polls
 * whose changes were all announced show it. An unannounced change ends the trust and doubles the number of changes that it
 * takes. Observers promise to announce all changes, and are trusted until they do not.
 */
export class PushTrust {
  #requirement: number;
  #announced = 0;
  #isPushed = false;
  /** Whether the last poll found a change that was not announced before it. */
  #isUnannounced = false;

  /** @param isPromised whether the server promises to announce all changes */
  constructor(isPromised: boolean) {
    this.#requirement = isPromised ? 0 : INITIAL_REQUIREMENT;
  }

  get isTrusted(): boolean {
    return this.#announced >= this.#requirement;
  }

  /** Records a notification. It may arrive shortly after a poll that has already found the change. */
  recordPush(): void {
    if (this.#isUnannounced) this.#announced += 1;
    else this.#isPushed = true;
    this.#isUnannounced = false;
  }

  /** @param isChanged whether the poll found a change */
  recordPoll(isChanged: boolean): void {
    if (this.#isUnannounced) {
      if (this.isTrusted)
        this.#requirement = Math.max(INITIAL_REQUIREMENT, Math.min(MAX_REQUIREMENT, 2 * this.#requirement));
      this.#announced = 0;
    }
    this.#isUnannounced = isChanged && !this.#isPushed;
    if (isChanged && this.#isPushed) this.#announced += 1;
    this.#isPushed = false;
  }
}
