/**
 * Returns the nearest-rank percentile of ascending values. Undefined if there are no values.
 * @param percent 0 to 100
 */
export function nearestRank(sorted: ArrayLike<number>, percent: number): number | undefined {
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)];
}
