import {
  GraphQLBoolean,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  type GraphQLLeafType,
  GraphQLString,
  isEnumType,
} from 'graphql';

/** Error of a selection or value that only graphql's `execute` can render, such as a promise or an error. */
export class NotCompilableError extends Error {
  constructor(reason: string) {
    super(`Selection cannot be rendered directly: ${reason}.`);
    this.name = 'NotCompilableError';
  }
}

/** Creates a function that writes non-null values of a scalar or enum type as JSON. */
export function createLeafWriter(type: GraphQLLeafType): (value: unknown) => string {
  if (type === GraphQLString || type === GraphQLID) {
    return (value) => (typeof value === 'string' ? JSON.stringify(value) : serialize(type, value));
  }
  if (type === GraphQLFloat) {
    return (value) => (typeof value === 'number' && Number.isFinite(value) ? String(value) : serialize(type, value));
  }
  if (type === GraphQLInt) {
    return (value) => (typeof value === 'number' && (value | 0) === value ? String(value) : serialize(type, value));
  }
  if (type === GraphQLBoolean) {
    return (value) => (value === true ? 'true' : value === false ? 'false' : serialize(type, value));
  }
  if (!isEnumType(type)) return (value) => serialize(type, value);
  const textByValue = new Map<unknown, string>();
  for (const { value } of type.getValues()) textByValue.set(value, serialize(type, value));
  return (value) => textByValue.get(value) ?? serialize(type, value);
}

function serialize(type: GraphQLLeafType, value: unknown): string {
  const result: unknown = type.serialize(value);
  // JSON.stringify may return undefined, contrary to its type.
  const text: unknown = result == null ? undefined : JSON.stringify(result);
  if (typeof text !== 'string') throw new NotCompilableError(`a value that ${type.name} cannot serialize`);
  return text;
}
