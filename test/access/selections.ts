import { getNamedType, type GraphQLField, type GraphQLOutputType, isObjectType } from 'graphql';
import { schema } from '../../src/schema/index.js';

/** Types of items that other items link to. */
const LINKED_TYPES: ReadonlySet<string> = new Set(['Agent', 'McpServer', 'Swarm', 'Task']);

/**
 * Selects all fields of a type recursively, including future ones.
 * @param links number of links between items that the selection follows
 */
export function selectEverything(type: GraphQLOutputType, links: number): string {
  const named = getNamedType(type);
  if (!isObjectType(named)) return '';
  const isItem = LINKED_TYPES.has(named.name);
  const fields = Object.values(named.getFields()).flatMap(({ name, type: fieldType }) => {
    const isLink = isItem && LINKED_TYPES.has(getNamedType(fieldType).name);
    return isLink && links === 0 ? [] : [`${name} ${selectEverything(fieldType, isLink ? links - 1 : links)}`];
  });
  return `{ ${fields.join(' ')} }`;
}

export type RootKind = 'Query' | 'Mutation' | 'Subscription';

export function rootFields(kind: RootKind): readonly GraphQLField<unknown, unknown>[] {
  const type = schema.getType(kind);
  return isObjectType(type) ? Object.values(type.getFields()) : [];
}

/**
 * Selects a root field with all its subfields.
 * @param args arguments in parentheses
 * @param links number of links between items that the selection follows
 */
export function selectAll(kind: RootKind, name: string, args = '', links = 0): string {
  const field = rootFields(kind).find((candidate) => candidate.name === name);
  if (field === undefined) throw new Error(`unknown field ${kind}.${name}`);
  return `${name}${args} ${selectEverything(field.type, links)}`;
}

/** Sorts all lists in a value, so that their order does not matter. */
export function unordered(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(unordered).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, unordered(entry)]));
}
