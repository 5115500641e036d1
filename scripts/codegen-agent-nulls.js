// Plugin of GraphQL Code Generator. Writes the nulls that a merge patch of an agent omits and a query returns.
import { isNonNullType, isObjectType } from 'graphql';

/** Returns the nullable fields of a type, except links. Includes or excludes those whose type is an object type. */
function listNullableFields(type, isObject) {
  return Object.values(type.getFields()).filter(
    (field) => !isNonNullType(field.type) && isObjectType(field.type) === isObject && !isLink(field.type),
  );
}

/** Returns whether a type is an item with an id, which patches do not contain. */
function isLink(type) {
  return isObjectType(type) && type.getFields()['id'] !== undefined;
}

function printNulls(type, indent) {
  return listNullableFields(type, false)
    .map(({ name }) => `${indent}${name}: null,\n`)
    .join('');
}

export function plugin(schema) {
  const agent = schema.getType('Agent');
  const objects = listNullableFields(agent, true)
    .map(({ name, type }) => `  ${name}: {\n${printNulls(type, '    ')}  },\n`)
    .join('');
  return `/** Nullable fields of an agent whose types are not objects. */
export const NULL_AGENT_FIELDS = {\n${printNulls(agent, '  ')}} as const;

/** Nullable objects of an agent, each with its own nullable fields. */
export const NULL_AGENT_OBJECTS = {\n${objects}} as const;
`;
}
