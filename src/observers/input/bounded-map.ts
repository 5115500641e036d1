/** Sets an entry as the newest one and removes the oldest entries above `maxSize`. */
export function setBounded<K, V>(map: Map<K, V>, key: K, value: V, maxSize: number): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= maxSize) break;
    map.delete(oldest);
  }
}

/** Adds a value as the newest one and removes the oldest values above `maxSize`. */
export function addBounded<T>(set: Set<T>, value: T, maxSize: number): void {
  set.delete(value);
  set.add(value);
  for (const oldest of set) {
    if (set.size <= maxSize) break;
    set.delete(oldest);
  }
}
