import { Kind, type SelectionSetNode, type ValidationContext, type ValidationRule } from 'graphql';

/** Number of selections to inspect. Fragments that spread each other can expand a short document to any number. */
const MAX_INSPECTED_SELECTIONS = 20_000;

/**
 * Limits how often one field may be selected at one position of the response, fragments included. graphql's rule
 * OverlappingFieldsCanBeMerged compares all pairs of such fields. graphql-armor has no rule for it.
 * @param refuse throws the error of the limit
 */
export function maxDuplicateFieldsRule(max: number, refuse: () => never): ValidationRule {
  return (context) => {
    const check = ({ selectionSet }: { readonly selectionSet: SelectionSetNode }): void => {
      let inspectedCount = 0;
      const inspect = (sets: readonly SelectionSetNode[], spread: ReadonlySet<string>): void => {
        const occurrences = new FieldOccurrences(context, spread);
        for (const set of sets) occurrences.add(set);
        inspectedCount += occurrences.selectionCount;
        if (inspectedCount > MAX_INSPECTED_SELECTIONS) refuse();
        for (const { count, subselections } of occurrences.fields.values()) {
          if (count > max) refuse();
          if (subselections.length > 0) inspect(subselections, occurrences.spread);
        }
      };
      inspect([selectionSet], new Set());
    };
    return { OperationDefinition: check, FragmentDefinition: check };
  };
}

/** Fields that are selected at one position of the response. */
class FieldOccurrences {
  /** Number of occurrences and subselections of each field, by response key. */
  readonly fields = new Map<string, { count: number; readonly subselections: SelectionSetNode[] }>();
  /** Names of the fragments that are spread here or above. Each is inspected once, which ends cycles. */
  readonly spread: Set<string>;
  selectionCount = 0;
  readonly #context: ValidationContext;

  constructor(context: ValidationContext, spread: ReadonlySet<string>) {
    this.#context = context;
    this.spread = new Set(spread);
  }

  add(set: SelectionSetNode): void {
    this.selectionCount += set.selections.length;
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        const name = selection.alias?.value ?? selection.name.value;
        const field = this.fields.get(name) ?? { count: 0, subselections: [] };
        this.fields.set(name, field);
        field.count += 1;
        if (selection.selectionSet !== undefined) field.subselections.push(selection.selectionSet);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) this.add(selection.selectionSet);
      else if (!this.spread.has(selection.name.value)) {
        this.spread.add(selection.name.value);
        const fragment = this.#context.getFragment(selection.name.value);
        if (fragment != null) this.add(fragment.selectionSet);
      }
    }
  }
}
