/**
 * Settles as `promise` does, or rejects with the reason of `signal` as soon as it aborts. A later outcome of `promise` is
 * ignored.
 */
export async function abortable<T>(promise: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<typeof ABORTED>((resolve) => {
    onAbort = () => resolve(ABORTED);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  try {
    const outcome = await Promise.race([promise, aborted]);
    if (outcome !== ABORTED) return outcome;
    signal.throwIfAborted();
    throw new Error('aborted');
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

const ABORTED = Symbol('aborted');
