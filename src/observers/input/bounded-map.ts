/** Sets an entry as the newest one and removes the oldest entries above `maxSize`. */
export function setBounded<K, V>(map: Map<K, V>, key: K, value: V, maxSize: number): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= maxSize) break;
    map.delete(oldest);
  }
}

/** Adds a value as the newest one and removes the oldest values above `maxSize`. Returns the removed values. */
export function addBounded<T>(set: Set<T>, value: T, maxSize: number): readonly T[] {
  set.delete(value);
  set.add(value);
  const removed: T[] = [];
  for (const oldest of set) {
    if (set.size <= maxSize) break;
    set.delete(oldest);
    removed.push(oldest);
  }
  return removed;
}
