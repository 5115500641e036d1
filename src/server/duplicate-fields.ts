import { Kind, type SelectionSetNode, type ValidationContext, type ValidationRule } from 'graphql';

/**
 * How often one field may stand in one place, with the fragments that are spread there: graphql's rule that they must
 * agree compares each with each, and all that is below them. graphql-armor has no rule for it.
 * @param refuse throws
 */
export function maxDuplicatesRule(max: number, refuse: () => never): ValidationRule {
  return (context) => ({
    SelectionSet(set) {
      for (const times of countFields(context, set, new Map(), new Set()).values()) if (times > max) refuse();
    },
  });
}

/** By the name they have in the answer. */
function countFields(
  context: ValidationContext,
  set: SelectionSetNode,
  counts: Map<string, number>,
  spread: Set<string>,
): ReadonlyMap<string, number> {
  for (const selection of set.selections) {
    if (selection.kind === Kind.FIELD) {
      const name = selection.alias?.value ?? selection.name.value;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      countFields(context, selection.selectionSet, counts, spread);
    } else if (!spread.has(selection.name.value)) {
      spread.add(selection.name.value);
      const fragment = context.getFragment(selection.name.value);
      if (fragment != null) countFields(context, fragment.selectionSet, counts, spread);
    }
  }
  return counts;
}
