// What the plugins of GraphQL Code Generator make of the client's documents: their operations, and the fragments that
// each of them needs.
import { concatAST, Kind, visit } from 'graphql';

export function sortedOut(documents) {
  const { definitions } = concatAST(documents.flatMap(({ document }) => (document === undefined ? [] : [document])));
  const fragments = new Map(
    definitions.flatMap((definition) =>
      definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition]] : [],
    ),
  );
  return { fragments, operations: definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION) };
}

/** Names of the fragments that a definition needs, those that they need themselves included. */
export function fragmentsOf(definition, fragments, found = new Set()) {
  visit(definition, {
    FragmentSpread({ name: { value } }) {
      if (found.has(value)) return;
      found.add(value);
      fragmentsOf(fragments.get(value), fragments, found);
    },
  });
  return found;
}
