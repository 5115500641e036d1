import { type FragmentDefinitionNode, Kind, type SelectionSetNode, type ValidationRule } from 'graphql';

/**
 * Rejects aliases within introspection, and several introspections of the schema. Introspection is not executed by the
 * resolvers of this schema and therefore not counted by their budget. Without aliases, its size is bounded by the schema.
 * @param reject called at the first excess; must throw
 */
export function introspectionAliasesRule(reject: () => never): ValidationRule {
  return (context) => {
    const schemaKeys = new Set<string>();
    const visited = new Set<FragmentDefinitionNode>();
    const check = ({ selections }: SelectionSetNode): void => {
      for (const selection of selections) {
        if (selection.kind === Kind.FIELD) {
          if (selection.alias !== undefined) reject();
          if (selection.selectionSet !== undefined) check(selection.selectionSet);
        } else if (selection.kind === Kind.INLINE_FRAGMENT) check(selection.selectionSet);
        else {
          const fragment = context.getFragment(selection.name.value);
          if (fragment == null || visited.has(fragment)) continue;
          visited.add(fragment);
          check(fragment.selectionSet);
        }
      }
    };
    return {
      Field({ name, alias, selectionSet }) {
        if (name.value !== '__schema' && name.value !== '__type') return;
        if (name.value === '__schema') schemaKeys.add(alias?.value ?? name.value);
        if (schemaKeys.size > 1) reject();
        if (selectionSet !== undefined) check(selectionSet);
      },
    };
  };
}
