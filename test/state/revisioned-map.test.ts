import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RevisionedMap } from '../../src/state/revisioned-map.js';
import { runs } from '../support/fuzz-inputs.js';

/** Maximum number of history entries of a record, and of its evicted keys. */
const MAX_HISTORY = 32;

interface Value {
  readonly key: number;
}

function newMap(maxTombstones = 100): RevisionedMap<Value, number> {
  return new RevisionedMap({ toKey: ({ key }: Value) => key, keysEqual: (a, b) => a === b, maxTombstones });
}

/** Puts or removes entries, one per revision, and keeps the key of each entry at each revision. */
class History {
  readonly keys = new Map<string, (number | null)[]>();
  revision = 0;
  readonly map: RevisionedMap<Value, number>;

  constructor(maxTombstones: number, ids: readonly string[]) {
    this.map = newMap(maxTombstones);
    for (const id of ids) this.keys.set(id, [null]);
  }

  change(changed: string, key: number | null): void {
    this.revision += 1;
    if (key === null) this.map.remove(changed, this.revision);
    else this.map.put(changed, { key }, this.revision);
    for (const [id, keys] of this.keys) keys.push(id === changed ? key : this.keyAt(id, this.revision - 1));
  }

  keyAt(id: string, revision: number): number | null {
    return this.keys.get(id)?.[revision] ?? null;
  }

  /** Compares the values with the kept keys. */
  expectCurrent(): void {
    const present = [...this.keys.keys()].filter((id) => this.keyAt(id, this.revision) !== null);
    expect(new Set([...this.map.values()].map(({ key }) => key))).toEqual(
      new Set(present.map((id) => this.keyAt(id, this.revision))),
    );
    expect(this.map.size).toBe(present.length);
    for (const id of this.keys.keys()) expect(this.map.get(id)?.key ?? null).toBe(this.keyAt(id, this.revision));
  }

  /** Compares the keys of all records with the kept ones, at all revisions from the horizon. */
  expectPast(): void {
    const wrong: string[] = [];
    for (let revision = this.map.horizon; revision <= this.revision; revision += 1) {
      const changed = [...this.map.changedSince(revision)].map(({ id }) => id);
      if (new Set(changed).size < changed.length) wrong.push(`${revision}: ${changed.join()}`);
      for (const id of this.keys.keys()) {
        const key = this.keyAt(id, revision);
        if (!this.#isRemembered(id, revision)) wrong.push(`${id} at ${revision} had ${String(key)}`);
        if (key !== this.keyAt(id, this.revision) && !changed.includes(id)) wrong.push(`${id} after ${revision}`);
      }
    }
    expect(wrong).toEqual([]);
  }

  #isRemembered(id: string, revision: number): boolean {
    const key = this.keyAt(id, revision);
    const record = this.map.record(id);
    if (record === undefined) return key === null;
    const { exact, keys } = record.keysAt(revision);
    const known = key === null ? [] : [key];
    if (exact ? keys.join() !== known.join() : known.some((past) => !keys.includes(past))) return false;
    const later = (this.keys.get(id) ?? []).slice(revision).filter((past) => past !== null);
    const since = record.keysSince(revision).keys;
    return later.every((past) => since.includes(past));
  }
}

describe('RevisionedMap', () => {
  test('for any history: returns the keys that each entry had, and what changed since any revision after the horizon', () => {
    const ids = ['a', 'b', 'c'];
    const change = fc.tuple(fc.constantFrom(...ids), fc.option(fc.nat(60), { nil: null, freq: 4 }));
    let advanced = 0;
    fc.assert(
      fc.property(fc.array(change, { size: 'max', maxLength: 300 }), fc.constantFrom(0, 1, 2, 10), (changes, max) => {
        const history = new History(max, ids);
        for (const [id, key] of changes) history.change(id, key);
        history.expectCurrent();
        history.expectPast();
        if (history.map.horizon > 0) advanced += 1;
      }),
      runs(20),
    );
    expect(advanced).toBeGreaterThan(runs(20).numRuns / 4);
  });

  test('keeps the horizon until an entry has had more keys than it remembers', () => {
    const map = newMap();
    for (let key = 1; key <= 2 * MAX_HISTORY; key += 1) map.put('a', { key }, key);
    const record = map.record('a');
    expect(map.horizon).toBe(0);
    expect(record?.keysAt(MAX_HISTORY + 1)).toEqual({ exact: true, keys: [MAX_HISTORY + 1] });
    const evicted = Array.from({ length: MAX_HISTORY }, (_, index) => index + 1);
    expect(record?.keysAt(MAX_HISTORY)).toEqual({ exact: false, keys: evicted });
    map.put('a', { key: 0 }, 2 * MAX_HISTORY + 1);
    expect(map.horizon).toBe(MAX_HISTORY + 2);
    expect(record?.keysAt(MAX_HISTORY + 2)).toEqual({ exact: true, keys: [MAX_HISTORY + 2] });
    expect(record?.evictedKeys).toEqual([]);
  });

  test('never moves the horizon back', () => {
    const map = newMap(0);
    for (let key = 1; key <= 2 * MAX_HISTORY; key += 1) map.put('a', { key }, key);
    map.put('b', { key: 0 }, 98);
    map.remove('b', 99);
    expect(map.horizon).toBe(99);
    map.put('a', { key: 0 }, 100);
    expect(map.horizon).toBe(99);
  });

  test('remembers a key once, and no absence, when an entry alternates between keys', () => {
    const map = newMap();
    let revision = 0;
    const next = (): number => (revision += 1);
    for (let round = 0; round < 5 * MAX_HISTORY; round += 1) {
      map.put('a', { key: round % 3 }, next());
      if (round % 2 === 0) map.remove('a', next());
    }
    expect(map.horizon).toBe(0);
    const record = map.record('a');
    expect(record?.history).toHaveLength(MAX_HISTORY);
    expect([...(record?.evictedKeys ?? [])].sort()).toEqual([0, 1, 2]);
  });

  test('keeps the key revision when a value changes without its key', () => {
    const map = newMap();
    map.put('a', { key: 1 }, 1);
    map.put('a', { key: 1 }, 2);
    expect({ map: map.keyRevision, entry: map.record('a')?.keyRevision }).toEqual({ map: 1, entry: 1 });
    expect({ revision: map.revision, record: map.record('a')?.revision }).toEqual({ revision: 2, record: 2 });
    map.remove('a', 3);
    expect({ map: map.keyRevision, entry: map.record('a')?.keyRevision }).toEqual({ map: 3, entry: 3 });
    map.put('a', { key: 1 }, 4);
    expect(map.keyRevision).toBe(4);
  });

  test('ignores the removal of an unknown or removed entry', () => {
    const map = newMap();
    map.remove('a', 1);
    expect(map.record('a')).toBeUndefined();
    map.put('a', { key: 1 }, 2);
    map.remove('a', 3);
    map.remove('a', 4);
    expect({ size: map.size, revision: map.revision, history: map.record('a')?.history.length }).toEqual({
      size: 0,
      revision: 3,
      history: 2,
    });
  });

  test('drops the oldest tombstones, in the order of removal', () => {
    const map = newMap(2);
    for (const [index, id] of ['a', 'b', 'c', 'd'].entries()) map.put(id, { key: index }, index + 1);
    map.remove('c', 5);
    map.remove('a', 6);
    map.put('c', { key: 9 }, 7);
    map.remove('b', 8);
    expect([...map.records()].map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd']);
    expect(map.horizon).toBe(0);
    map.remove('d', 9);
    expect([...map.records()].map(({ id }) => id)).toEqual(['b', 'c', 'd']);
    expect(map.horizon).toBe(6);
    expect([...map.changedSince(0)].map(({ id }) => id)).toEqual(['d', 'b', 'c']);
  });

  test('lists changes newest first, and unlinks a record from the middle and the ends', () => {
    const map = newMap();
    for (const [index, id] of ['a', 'b', 'c'].entries()) map.put(id, { key: index }, index + 1);
    const order = (): string[] => [...map.changedSince(0)].map(({ id }) => id);
    map.put('b', { key: 1 }, 4);
    expect(order()).toEqual(['b', 'c', 'a']);
    map.put('a', { key: 0 }, 5);
    expect(order()).toEqual(['a', 'b', 'c']);
    map.put('a', { key: 0 }, 6);
    expect(order()).toEqual(['a', 'b', 'c']);
    expect([...map.changedSince(4)].map(({ id }) => id)).toEqual(['a']);
    expect(newMap().revision).toBe(0);
  });

  test('forgets the revisions of the fields of a removed entry', () => {
    const map = newMap();
    map.put('a', { key: 1 }, 1).fieldRevisions.push(1);
    map.remove('a', 2);
    expect(map.put('a', { key: 1 }, 3).fieldRevisions).toEqual([]);
  });
});
