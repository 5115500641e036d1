import { inspect } from 'node:util';

/** Ends a wait that would last forever. Far above the time that any wait takes on a slow machine. */
export const HANG_MS = 240_000;

const POLL_INTERVAL_MS = 10;

export interface WaitOptions {
  /** Observed state, printed when the wait fails. */
  readonly state: () => unknown;
  /** Reason why the awaited state can no longer occur; `null` while it still can. */
  readonly failure?: () => string | null;
}

/** Notifies waiting tests about changes of an observed object. */
export class ChangeNotifier {
  readonly #listeners = new Set<() => void>();

  notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /**
   * Resolves once `isReached` returns true; checks now and after each `notify`.
   * @throws with the observed state when `failure` returns a reason or the wait hangs
   */
  until(isReached: () => boolean, options: WaitOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        this.#listeners.delete(check);
        settle();
      };
      const check = (): void => {
        try {
          if (isReached()) {
            end(resolve);
            return;
          }
          const reason = options.failure?.() ?? null;
          if (reason !== null) end(() => reject(waitError(reason, options)));
        } catch (error) {
          end(() => reject(error instanceof Error ? error : new Error(String(error))));
        }
      };
      const timer = setTimeout(() => end(() => reject(waitError(HANG, options))), HANG_MS);
      this.#listeners.add(check);
      check();
    });
  }
}

/**
 * Resolves once `isReached` returns true; for state that emits no event.
 * @throws with the observed state when `failure` returns a reason or the wait hangs
 */
export async function waitUntil(
  isReached: () => boolean | Promise<boolean>,
  options: WaitOptions & { readonly intervalMs?: number },
): Promise<void> {
  const startMs = performance.now();
  while (!(await isReached())) {
    const reason = options.failure?.() ?? null;
    if (reason !== null) throw waitError(reason, options);
    if (performance.now() - startMs > HANG_MS) throw waitError(HANG, options);
    await new Promise((resolve) => setTimeout(resolve, options.intervalMs ?? POLL_INTERVAL_MS));
  }
}

const HANG = `not reached within ${HANG_MS / 1000} s`;

function waitError(reason: string, { state }: WaitOptions): Error {
  return new Error(`${reason}; state: ${inspect(state(), { depth: 4, maxArrayLength: 20, maxStringLength: 500 })}`);
}
