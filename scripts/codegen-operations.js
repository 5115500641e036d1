// Reads the operations and fragments of the client's documents for the plugins of GraphQL Code Generator.
import { concatAST, Kind, visit } from 'graphql';

export function collectDefinitions(documents) {
  const { definitions } = concatAST(documents.flatMap(({ document }) => (document === undefined ? [] : [document])));
  const fragments = new Map(
    definitions.flatMap((definition) =>
      definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition]] : [],
    ),
  );
  return { fragments, operations: definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION) };
}

/** Returns the names of the fragments that a definition uses, directly and through other fragments. */
export function listUsedFragments(definition, fragments, found = new Set()) {
  visit(definition, {
    FragmentSpread({ name: { value } }) {
      if (found.has(value)) return;
      found.add(value);
      listUsedFragments(fragments.get(value), fragments, found);
    },
  });
  return found;
}
