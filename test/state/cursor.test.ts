import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SwarmlensError } from '../../src/shared/index.js';
import { createView, decodeCursor, encodeCursor, Store, type View } from '../../src/state/index.js';
import { anyViewOptions } from '../support/arbitraries.js';

function newStore(epoch = 'epoch'): Store {
  return new Store({ epoch, maxTombstones: 1, maxEvents: 1 });
}

/** Returns a view with many filter entries. */
function longView(name: string, count = 500): View {
  return createView({ swarmIds: Array.from({ length: count }, (_, index) => `${name}:swarm-${String(index)}`) });
}

describe('cursor of a long view', () => {
  test('has the length of a short one, however many filters the view has', () => {
    const short = encodeCursor('epoch', { revision: 3, view: longView('x', 50) });
    expect(encodeCursor('epoch', { revision: 3, view: longView('x', 5_000) })).toHaveLength(short.length);
    expect(short.length).toBeLessThan(100);
  });

  test('for any filters: has at most 1,000 characters', () => {
    const names = fc.option(fc.array(fc.string({ unit: 'grapheme', maxLength: 80 }), { maxLength: 20 }), { nil: null });
    const bounds = { completeUntilMs: Number.MAX_SAFE_INTEGER, newestMs: Number.MAX_SAFE_INTEGER };
    fc.assert(
      fc.property(names, names, (swarmIds, agentTypes) => {
        const position = { revision: Number.MAX_SAFE_INTEGER, view: createView({ swarmIds, agentTypes }) };
        expect(encodeCursor(randomUUID(), position, bounds).length).toBeLessThanOrEqual(1_000);
      }),
    );
  });

  test('resolves to the view in the store that issued it, and to the requested view in any store of the epoch', () => {
    const [issued, other] = [longView('x'), longView('y')];
    const store = newStore();
    const cursor = store.createCursor({ revision: 3, view: issued });
    expect(store.resolveCursor(cursor, other)?.view.key).toBe(issued.key);
    expect(newStore().resolveCursor(cursor, longView('x'))?.view.key).toBe(issued.key);
    expect(newStore().resolveCursor(cursor, other)).toBeNull();
  });

  test('is forgotten after many other long views, the least recently issued first', () => {
    const store = newStore();
    const [a, b] = [longView('a', 5_000), longView('b', 5_000)];
    const [first, second] = [a, b].map((view) => store.createCursor({ revision: 0, view })) as [string, string]; // two views
    for (let index = 0; index * a.key.length < 2_000_000; index += 1) {
      expect(store.resolveCursor(first, createView())).not.toBeNull();
      store.createCursor({ revision: 0, view: a });
      store.createCursor({ revision: 0, view: longView(String(index), 5_000) });
    }
    expect(store.resolveCursor(first, createView())).not.toBeNull();
    expect(store.resolveCursor(second, createView())).toBeNull();
  });
});

describe('cursor', () => {
  test('for any position: decodes to the encoded position', () => {
    fc.assert(
      fc.property(fc.nat(), anyViewOptions, (revision, options) => {
        const position = { revision, view: createView(options) };
        const decoded = { epoch: 'epoch', ...position, bounds: null };
        expect(decodeCursor(encodeCursor('epoch', position))).toEqual(decoded);
        const bounds = { completeUntilMs: revision, newestMs: revision + 1 };
        expect(decodeCursor(encodeCursor('epoch', position, bounds))).toEqual({ ...decoded, bounds });
      }),
    );
  });

  test('does not resolve in another store', () => {
    const view = createView();
    const cursor = encodeCursor('epoch', { revision: 3, view });
    expect(newStore('another').resolveCursor(cursor, view)).toBeNull();
    expect(newStore('epoch').resolveCursor(cursor, view)).toMatchObject({ revision: 3 });
  });

  test('does not resolve for a stream of other items', () => {
    const store = newStore('epoch');
    for (const subject of ['agents', 'tasks'] as const) {
      const cursor = store.createCursor({ revision: 3, view: createView({ subject }) });
      expect(store.resolveCursor(cursor, createView({ subject }))).toMatchObject({ revision: 3 });
      expect(
        store.resolveCursor(cursor, createView({ subject: subject === 'agents' ? 'tasks' : 'agents' })),
      ).toBeNull();
    }
  });

  test('for any filters: equal views have equal keys, whatever the order and repetition of values', () => {
    expect(createView({ agentTypes: ['B', 'a', 'b'] }).key).toBe(createView({ agentTypes: ['a', 'b'] }).key);
    expect(createView({ agentTypes: [] }).key).not.toBe(createView({ agentTypes: null }).key);
  });

  test('for any other text: is rejected as bad input with the name of the argument', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((text) => Buffer.from(text).toString('base64url')),
        ),
        (text) => {
          expect(() => decodeCursor(text)).toThrow(
            expect.objectContaining({
              constructor: SwarmlensError,
              code: 'BAD_USER_INPUT',
              details: { argument: 'after' },
            }),
          );
        },
      ),
    );
  });
});

describe('decodeCursor', () => {
  test('rejects a cursor with very many values of a wrong type', () => {
    const parts = [1, 'epoch', 0, 7, null, Array.from({ length: 300_000 }, () => 1), null, null];
    const cursor = Buffer.from(JSON.stringify(parts)).toString('base64url');
    expect(() => decodeCursor(cursor)).toThrow(SwarmlensError);
  });
});
