/**
 * Returns the delay before the next attempt. Doubles from `initialMs` to `maxMs`; up to half of it is jitter.
 * @param failures number of consecutive failed attempts
 * @param random returns a number from 0 to 1. `withoutJitter` gives the full delay
 */
export function backoffDelayMs(
  failures: number,
  { initialMs, maxMs }: { readonly initialMs: number; readonly maxMs: number },
  random: () => number,
): number {
  const ceiling = Math.min(maxMs, initialMs * 2 ** Math.max(0, failures - 1));
  return ceiling * (0.5 + random() / 2);
}

/** Random source for `backoffDelayMs` that adds no jitter. */
export const withoutJitter = (): number => 1;
