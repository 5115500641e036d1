import { buildSchema, executeSync, type FragmentDefinitionNode, getOperationAST, Kind, parse } from 'graphql';
import { expect, test } from 'vitest';
import { collectFields } from '../../../src/delivery/render/collect-fields.js';

const schema = buildSchema(`
  interface Named { name: String }
  interface Aged { age: Int }
  type Query implements Named { name: String other: String more: String }
`);
const rootValue = { name: 'n', other: 'o', more: 'm' };

test.each([
  ['fields in the order of their first occurrence', '{ other name other more }'],
  ['aliases', '{ second: name name second: name }'],
  ['@skip and @include', '{ name @skip(if: $yes) other @include(if: $no) more @include(if: $yes) @skip(if: $no) }'],
  ['@skip before @include', '{ name @skip(if: $yes) @include(if: $yes) other }'],
  [
    'inline fragments without a type, on the type and on its interface',
    '{ ...{ more } ...on Query{ other } ...on Named { name } }',
  ],
  ['fragments on an interface that the type does not implement', '{ ...on Aged { age } name }'],
  ['a fragment that is spread twice', '{ ...F other ...F } fragment F on Query { name }'],
  ['a fragment that is skipped first', '{ ...F @skip(if: $yes) other ...F } fragment F on Query { name }'],
  ['nested fragments', '{ ...F more } fragment F on Query { ...G other } fragment G on Named { name }'],
])('collectFields returns the response keys of graphql for %s', (_, selection) => {
  const document = parse(`query ($yes: Boolean = true, $no: Boolean = false) ${selection}`);
  const fragments: Record<string, FragmentDefinitionNode> = {};
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments[definition.name.value] = definition;
  }
  const type = schema.getQueryType();
  if (type == null) throw new Error('the schema has no query type');
  const scope = { schema, fragments, variables: { yes: true, no: false } };
  const fields = collectFields(scope, type, [getOperationAST(document)?.selectionSet]);
  const { data } = executeSync({ schema, document, rootValue });
  expect([...fields.keys()]).toEqual(Object.keys(data ?? {}));
  expect([...fields.values()].every((nodes) => nodes.length > 0)).toBe(true);
});
