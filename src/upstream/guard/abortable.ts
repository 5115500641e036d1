/**
 * The promise's outcome, or the signal's reason as soon as that is aborted. What the promise does after that is
 * ignored; no listener stays behind.
 */
export async function abortable<T>(promise: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  let leave: () => void = () => undefined;
  const left = new Promise<typeof LEFT>((resolve) => {
    leave = () => resolve(LEFT);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
  });
  try {
    const outcome = await Promise.race([promise, left]);
    if (outcome !== LEFT) return outcome;
    signal.throwIfAborted();
    throw new Error('aborted');
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

const LEFT = Symbol('left');
