import {
  GraphQLBoolean,
  GraphQLEnumType,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  type GraphQLLeafType,
  GraphQLScalarType,
  GraphQLString,
} from 'graphql';
import { expect, test } from 'vitest';
import { createLeafWriter, NotCompilableError } from '../../../src/delivery/render/leaf-writer.js';

const STATUS = new GraphQLEnumType({ name: 'Status', values: { IDLE: { value: 'idle' }, BUSY: { value: 2 } } });
const UPPER = new GraphQLScalarType({ name: 'Upper', serialize: (value) => String(value).toUpperCase() });
const NOTHING = new GraphQLScalarType({ name: 'Nothing', serialize: () => null });
const SYMBOL = new GraphQLScalarType({ name: 'Symbol', serialize: () => Symbol('s') });

const VALUES: readonly unknown[] = [
  ...['', 'text', '"quoted"', '\u0000\u001f\u2028', '\ud800', 'idle', '1', 'true'],
  ...[0, -0, 1, -1, 2, 0.5, 1e21, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, NaN, Infinity, -Infinity],
  ...[true, false, null, undefined, 10n, {}, [], new Date(0), Symbol('s')],
  { valueOf: () => 3 },
];

/** Returns what graphql writes for a value, or null if graphql reports an error or writes nothing. */
function expectedText(type: GraphQLLeafType, value: unknown): string | null {
  try {
    const serialized: unknown = type.serialize(value);
    const text: unknown = serialized == null ? null : JSON.stringify(serialized);
    return typeof text === 'string' ? text : null;
  } catch {
    return null;
  }
}

test.each([GraphQLString, GraphQLID, GraphQLFloat, GraphQLInt, GraphQLBoolean, STATUS, UPPER, NOTHING, SYMBOL])(
  'createLeafWriter writes any value of %s as graphql does',
  (type) => {
    const write = createLeafWriter(type);
    for (const value of VALUES) {
      const expected = expectedText(type, value);
      if (expected === null) expect(() => write(value)).toThrow();
      else expect(write(value)).toBe(expected);
    }
  },
);

test('createLeafWriter reports a value that its type cannot write', () => {
  expect(() => createLeafWriter(NOTHING)(1)).toThrow(NotCompilableError);
  expect(() => createLeafWriter(SYMBOL)(1)).toThrow(/Symbol cannot serialize/);
  expect(new NotCompilableError('reason').name).toBe('NotCompilableError');
});
