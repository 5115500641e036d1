import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { listOf, textListSchema } from '../../src/shared/index.js';

/** Number of items at which the list of mistakes of `z.array` overflows the stack. */
const MANY = 300_000;

describe('listOf', () => {
  const schema = listOf(z.object({ id: z.string() }));

  test('returns the items as the schema of the items does', () => {
    expect(schema.parse([{ id: 'a', other: 1 }])).toEqual([{ id: 'a' }]);
    expect(schema.parse([])).toEqual([]);
  });

  test.each([null, {}, 'a', ['a'], [{ id: 'a' }, {}]])('refuses %j', (value) => {
    expect(schema.safeParse(value).success).toBe(false);
  });

  test('reports one mistake when all of very many items are invalid', () => {
    const { error } = schema.safeParse(Array.from({ length: MANY }, () => ({})));
    expect(error?.issues).toMatchObject([{ path: [0] }]);
  });
});

describe('textListSchema', () => {
  test('accepts lists of texts only', () => {
    expect(textListSchema.parse(['a', ''])).toEqual(['a', '']);
    for (const value of [null, {}, 'a', [1], ['a', null]]) expect(textListSchema.safeParse(value).success).toBe(false);
  });

  test('reports one mistake when all of very many items are invalid', () => {
    const { error } = textListSchema.safeParse(Array.from({ length: MANY }, () => 1));
    expect(error?.issues).toHaveLength(1);
  });
});
