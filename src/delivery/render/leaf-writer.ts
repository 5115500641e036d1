import {
  GraphQLBoolean,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  type GraphQLLeafType,
  GraphQLString,
  isEnumType,
} from 'graphql';

/** Something that only graphql itself can answer: an error to locate, a promise to wait for. */
export class NotCompilableError extends Error {
  constructor(what: string) {
    super(`not rendered directly: ${what}`);
    this.name = 'UnusualError';
  }
}

/** Writes a value of a scalar or enum type that is not null. */
export function createLeafWriter(type: GraphQLLeafType): (value: unknown) => string {
  if (type === GraphQLString || type === GraphQLID) {
    return (value) => (typeof value === 'string' ? JSON.stringify(value) : serialised(type, value));
  }
  if (type === GraphQLFloat) {
    return (value) => (typeof value === 'number' && Number.isFinite(value) ? String(value) : serialised(type, value));
  }
  if (type === GraphQLInt) {
    return (value) => (typeof value === 'number' && (value | 0) === value ? String(value) : serialised(type, value));
  }
  if (type === GraphQLBoolean) {
    return (value) => (value === true ? 'true' : value === false ? 'false' : serialised(type, value));
  }
  if (!isEnumType(type)) return (value) => serialised(type, value);
  const known = new Map<unknown, string>();
  for (const { value } of type.getValues()) known.set(value, serialised(type, value));
  return (value) => known.get(value) ?? serialised(type, value);
}

function serialised(type: GraphQLLeafType, value: unknown): string {
  const result: unknown = type.serialize(value);
  // JSON.stringify is typed as if it always returned a string.
  const text: unknown = result == null ? undefined : JSON.stringify(result);
  if (typeof text !== 'string') throw new NotCompilableError(`a value that ${type.name} cannot serialise`);
  return text;
}
