import { Kind, type SelectionSetNode, type ValidationContext, type ValidationRule } from 'graphql';

/** Selections that are looked at: fragments that spread each other may make any number out of a short document. */
const MAX_LOOKS = 20_000;

/**
 * How often one field may stand in one place, with the fragments that are spread there and with what several of the
 * same field have below them: graphql's rule that they must agree compares each with each. graphql-armor has no rule for it.
 * @param refuse throws
 */
export function maxDuplicateFieldsRule(max: number, refuse: () => never): ValidationRule {
  return (context) => {
    const check = ({ selectionSet }: { readonly selectionSet: SelectionSetNode }): void => {
      let looks = 0;
      const look = (sets: readonly SelectionSetNode[], spread: ReadonlySet<string>): void => {
        const merged = new FieldOccurrences(context, spread);
        for (const set of sets) merged.add(set);
        looks += merged.selections;
        if (looks > MAX_LOOKS) refuse();
        for (const { times, below } of merged.fields.values()) {
          if (times > max) refuse();
          if (below.length > 0) look(below, merged.spread);
        }
      };
      look([selectionSet], new Set());
    };
    return { OperationDefinition: check, FragmentDefinition: check };
  };
}

/** What stands in one place of the answer. */
class FieldOccurrences {
  /** By the name they have there. */
  readonly fields = new Map<string, { times: number; readonly below: SelectionSetNode[] }>();
  /** Fragments that are spread here or above: none is looked at twice, which ends circles. */
  readonly spread: Set<string>;
  selections = 0;
  readonly #context: ValidationContext;

  constructor(context: ValidationContext, spread: ReadonlySet<string>) {
    this.#context = context;
    this.spread = new Set(spread);
  }

  add(set: SelectionSetNode): void {
    this.selections += set.selections.length;
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        const name = selection.alias?.value ?? selection.name.value;
        const field = this.fields.get(name) ?? { times: 0, below: [] };
        this.fields.set(name, field);
        field.times += 1;
        if (selection.selectionSet !== undefined) field.below.push(selection.selectionSet);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) this.add(selection.selectionSet);
      else if (!this.spread.has(selection.name.value)) {
        this.spread.add(selection.name.value);
        const fragment = this.#context.getFragment(selection.name.value);
        if (fragment != null) this.add(fragment.selectionSet);
      }
    }
  }
}
