import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RevisionedList } from '../../src/observers/lists/revisioned-list.js';

interface Item {
  readonly id: string;
  readonly value: number;
}

const change = fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd'), value: fc.option(fc.nat(2), { nil: null }) });

test('for any changes and any readers: what has changed since a revision leads to all entries', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(change, fc.boolean()), { maxLength: 40 }), (steps) => {
      const list = new RevisionedList<Item>();
      const known = new Map<string, Item>();
      let knownRevision: number | null = null;
      const read = (revision: number): void => {
        const { entries, removedIds, isComplete } = list.changesSince(knownRevision);
        if (isComplete) known.clear();
        for (const id of removedIds) known.delete(id);
        for (const entry of entries) known.set(entry.id, entry);
        knownRevision = revision;
      };
      let revision = 0;
      for (const [{ id, value }, isRead] of steps) {
        revision += 1;
        if (value === null) list.remove(id, revision);
        else list.set({ id, value }, revision);
        if (isRead) read(revision);
      }
      read(revision);

      expect([...known.values()].sort(byId)).toEqual([...list.values()].sort(byId));
    }),
  );
});

function byId(a: Item, b: Item): number {
  return a.id < b.id ? -1 : 1;
}

test('RevisionedList returns all entries when it has forgotten removals since a revision', () => {
  const list = new RevisionedList<Item>();
  for (let number = 0; number < 10_002; number += 1) list.set({ id: `${number}`, value: 0 }, 1);
  for (let number = 0; number < 10_001; number += 1) list.remove(`${number}`, number + 2);

  expect(list.changesSince(1)).toEqual({ entries: [{ id: '10001', value: 0 }], removedIds: [], isComplete: true });
  expect(list.changesSince(2)).toMatchObject({ entries: [], isComplete: false });
});

test('RevisionedList reports no change for an equal value', () => {
  const list = new RevisionedList<Item>();

  expect([list.set({ id: 'a', value: 1 }, 1), list.set({ id: 'a', value: 1 }, 2)]).toEqual([true, false]);
  expect(list.changesSince(1).entries).toEqual([]);
});
