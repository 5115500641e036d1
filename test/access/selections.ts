import { getNamedType, type GraphQLField, type GraphQLOutputType, isObjectType } from 'graphql';
import { schema } from '../../src/schema/index.js';

/** Everything that can be selected of a type, all the way down: a field that is added to the schema is looked at too. */
export function everythingOf(type: GraphQLOutputType): string {
  const named = getNamedType(type);
  if (!isObjectType(named)) return '';
  const fields = Object.values(named.getFields()).map(({ name, type: own }) => `${name} ${everythingOf(own)}`);
  return `{ ${fields.join(' ')} }`;
}

export type RootKind = 'Query' | 'Mutation' | 'Subscription';

export function rootFields(kind: RootKind): readonly GraphQLField<unknown, unknown>[] {
  const type = schema.getType(kind);
  return isObjectType(type) ? Object.values(type.getFields()) : [];
}

/** @param args with their brackets */
export function asked(kind: RootKind, name: string, args = ''): string {
  const field = rootFields(kind).find((one) => one.name === name);
  if (field === undefined) throw new Error(`there is no ${kind}.${name}`);
  return `${name}${args} ${everythingOf(field.type)}`;
}

/** The same whatever the order of its lists is. */
export function unordered(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(unordered).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, unordered(one)]));
}
