/**
 * The pause after so many attempts in a row that led to nothing lasting: doubling from `initialMs` to `maxMs`, half of it
 * jitter.
 * @param random 0 ≤ x < 1
 */
export function backoffDelayMs(
  failures: number,
  { initialMs, maxMs }: { readonly initialMs: number; readonly maxMs: number },
  random: () => number,
): number {
  const ceiling = Math.min(maxMs, initialMs * 2 ** Math.max(0, failures - 1));
  return ceiling * (0.5 + random() / 2);
}
