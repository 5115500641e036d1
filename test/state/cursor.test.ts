import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SwarmlensError } from '../../src/shared/index.js';
import { createView, decodeCursor, encodeCursor, Store } from '../../src/state/index.js';
import { viewOptions } from '../support/arbitraries.js';

describe('cursor', () => {
  test('for any position: decodes to the encoded position', () => {
    fc.assert(
      fc.property(fc.nat(), viewOptions, (revision, options) => {
        const position = { revision, view: createView(options) };
        expect(decodeCursor(encodeCursor('epoch', position))).toEqual({ epoch: 'epoch', position, bounds: null });
        const span = { completeUntilMs: revision, newestMs: revision + 1 };
        expect(decodeCursor(encodeCursor('epoch', position, span))).toEqual({ epoch: 'epoch', position, bounds: span });
      }),
    );
  });

  test('does not resolve in another store', () => {
    const cursor = encodeCursor('epoch', { revision: 3, view: createView() });
    const options = { maxTombstones: 1, maxEvents: 1 };
    expect(new Store({ epoch: 'another', ...options }).resolveCursor(cursor)).toBeNull();
    expect(new Store({ epoch: 'epoch', ...options }).resolveCursor(cursor)).toMatchObject({ revision: 3 });
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
