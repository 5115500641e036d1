import { SetMaxHzDocument } from '../generated/operations.js';
import { OperationError } from '../run-operation.js';
import { type Runtime, sleep } from '../runtime.js';
import { requestOverSocket } from '../session-request.js';
import type { GraphqlWsSession } from './graphql-ws-session.js';

/** Delay after a rejection for the rate limit of the server that names no other, in milliseconds. */
const RETRY_DELAY_MS = 1_000;

/** Open session, and the rate that its server applies. */
interface RatedSession {
  readonly session: GraphqlWsSession;
  /** Aborts when the session ends. */
  readonly signal: AbortSignal;
  appliedHz: number | null;
}

/**
 * Highest update rate of all streams. Each session starts with the current one in `connection_init`; later changes are sent
 * one after another, and only the last one if several wait.
 */
export class RateSetting {
  readonly #runtime: Runtime;
  #maxHz: number | null;
  #rated: RatedSession | null = null;
  #sending: Promise<void> | null = null;

  constructor(maxHz: number | null, runtime: Runtime) {
    this.#maxHz = maxHz;
    this.#runtime = runtime;
  }

  get maxHz(): number | null {
    return this.#maxHz;
  }

  /** Starts to send changes over a session. @param initialHz rate in `connection_init` of the session */
  opened(session: GraphqlWsSession, initialHz: number | null, signal: AbortSignal): void {
    this.#rated = { session, signal, appliedHz: initialHz };
    // A server that rejects the rate keeps the previous one. `set` reports it for later changes.
    this.#sendChanges().catch(() => undefined);
  }

  /**
   * Changes the rate. Resolves when the server applies it, or when there is no session; the next one starts with it.
   * @throws OperationError if the server rejects it
   */
  async set(maxHz: number | null): Promise<void> {
    this.#maxHz = maxHz;
    await this.#sendChanges();
  }

  #sendChanges(): Promise<void> {
    this.#sending ??= this.#send().finally(() => (this.#sending = null));
    return this.#sending;
  }

  async #send(): Promise<void> {
    while (this.#rated !== null && this.#rated.appliedHz !== this.#maxHz) {
      const rated = this.#rated;
      const hasEnded = (): boolean => rated.signal.aborted;
      if (hasEnded()) {
        this.#rated = null;
        return;
      }
      try {
        const { setMaxHz } = await requestOverSocket(
          rated.session,
          SetMaxHzDocument,
          { maxHz: this.#maxHz },
          rated.signal,
        );
        rated.appliedHz = setMaxHz;
      } catch (error) {
        if (hasEnded()) continue;
        if (!(error instanceof OperationError) || error.code !== 'RATE_LIMITED') throw error;
        await sleep(this.#runtime, error.retryAfterMs ?? RETRY_DELAY_MS, rated.signal);
      }
    }
  }
}
