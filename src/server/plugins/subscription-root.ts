import { GraphQLError, Kind, OperationTypeNode, type SelectionSetNode, type ValidationRule } from 'graphql';

/** Directives that would decide by variables whether a subscription has a root field. */
const CONDITIONS: ReadonlySet<string> = new Set(['skip', 'include']);

/** Rejects `@skip` and `@include` on the root of a subscription, as the GraphQL specification requires. graphql 16 does not. */
export const subscriptionRootRule: ValidationRule = (context) => ({
  OperationDefinition({ operation, selectionSet }) {
    if (operation !== OperationTypeNode.SUBSCRIPTION) return;
    const spread = new Set<string>();
    const check = (set: SelectionSetNode): void => {
      for (const selection of set.selections) {
        const condition = selection.directives?.find(({ name }) => CONDITIONS.has(name.value));
        if (condition !== undefined) {
          const message = `"@${condition.name.value}" is not allowed on the root field of a subscription. Omit the subscription instead.`;
          context.reportError(new GraphQLError(message, { nodes: condition }));
        }
        if (selection.kind === Kind.INLINE_FRAGMENT) check(selection.selectionSet);
        if (selection.kind !== Kind.FRAGMENT_SPREAD || spread.has(selection.name.value)) continue;
        spread.add(selection.name.value);
        const fragment = context.getFragment(selection.name.value);
        if (fragment != null) check(fragment.selectionSet);
      }
    };
    check(selectionSet);
  },
});
