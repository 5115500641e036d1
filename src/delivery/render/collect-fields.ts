import {
  type FieldNode,
  type FragmentDefinitionNode,
  getDirectiveValues,
  GraphQLIncludeDirective,
  type GraphQLObjectType,
  type GraphQLSchema,
  GraphQLSkipDirective,
  type InlineFragmentNode,
  isAbstractType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  typeFromAST,
} from 'graphql';

/** Schema, fragments and variables that a selection is resolved with. */
export interface SelectionScope {
  readonly schema: GraphQLSchema;
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  /** Coerced variables of the operation. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/**
 * Groups the selected fields of an object by response key, in the order of the response. Implements CollectFields of the
 * GraphQL specification, because graphql's own function is internal.
 * @param selectionSets selection sets of all nodes that select the object
 */
export function collectFields(
  scope: SelectionScope,
  type: GraphQLObjectType,
  selectionSets: Iterable<SelectionSetNode | undefined>,
): Map<string, FieldNode[]> {
  const fields = new Map<string, FieldNode[]>();
  const visitedFragments = new Set<string>();
  const collect = (selections: readonly SelectionNode[] = []): void => {
    for (const selection of selections) {
      if (!isIncluded(selection, scope)) continue;
      switch (selection.kind) {
        case Kind.FIELD: {
          const key = selection.alias?.value ?? selection.name.value;
          const nodes = fields.get(key);
          if (nodes === undefined) fields.set(key, [selection]);
          else nodes.push(selection);
          break;
        }
        case Kind.INLINE_FRAGMENT:
          if (appliesTo(selection, type, scope)) collect(selection.selectionSet.selections);
          break;
        case Kind.FRAGMENT_SPREAD: {
          const name = selection.name.value;
          const fragment = scope.fragments[name];
          if (visitedFragments.has(name)) break;
          visitedFragments.add(name);
          if (fragment !== undefined && appliesTo(fragment, type, scope)) collect(fragment.selectionSet.selections);
        }
      }
    }
  };
  for (const selectionSet of selectionSets) collect(selectionSet?.selections);
  return fields;
}

function isIncluded(selection: SelectionNode, { variables }: SelectionScope): boolean {
  return (
    getDirectiveValues(GraphQLSkipDirective, selection, variables)?.['if'] !== true &&
    getDirectiveValues(GraphQLIncludeDirective, selection, variables)?.['if'] !== false
  );
}

function appliesTo(
  { typeCondition }: FragmentDefinitionNode | InlineFragmentNode,
  type: GraphQLObjectType,
  { schema }: SelectionScope,
): boolean {
  if (typeCondition === undefined) return true;
  const condition = typeFromAST(schema, typeCondition);
  return condition === type || (isAbstractType(condition) && schema.isSubType(condition, type));
}
