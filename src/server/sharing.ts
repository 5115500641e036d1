import {
  type DocumentNode,
  execute,
  type ExecutionArgs,
  type ExecutionResult,
  type FieldNode,
  type GraphQLField,
  getArgumentValues,
  getOperationAST,
  getVariableValues,
  GraphQLError,
  Kind,
  print,
  visit,
} from 'graphql';
import { type Groups, hzOf, type Member, type StreamedChanges } from '../delivery/index.js';
import { shareableStream, type SchemaContext } from '../schema/index.js';
import { maskError } from './errors.js';

/**
 * Lets a subscription join the others that ask for the same, if its field may be shared.
 * @returns the way to leave; `null` when it has to run by itself; an error when its arguments are wrong
 */
export function joinShared(
  groups: Groups,
  args: ExecutionArgs,
  context: SchemaContext,
  deliver: Member['deliver'],
): Disposable | GraphQLError | null {
  const root = shareableRoot(args);
  if (root === null) return null;
  const { field, node, variables } = root;
  const plan = shareableStream(field);
  if (plan === null) return null;
  try {
    const { view, mode, maxHz, after } = plan(getArgumentValues(field, node, variables), context);
    const hz = hzOf(mode, maxHz);
    const key = JSON.stringify([normalised(args.document), args.operationName, keyVariables(args), view.key, hz]);
    return groups.join(key, () => ({ view, hz, render: (update) => renderWith(args, update) }), {
      deliver,
      after,
    });
  } catch (error) {
    const masked = maskError(error);
    return masked instanceof GraphQLError ? masked : new GraphQLError(masked.message);
  }
}

interface SharedRoot {
  readonly field: GraphQLField<unknown, unknown>;
  readonly node: FieldNode;
  readonly variables: Record<string, unknown>;
}

/** The one field of a plain subscription; `null` for anything more unusual, and for wrong variables: the stock path says what is wrong. */
function shareableRoot({ document, schema, operationName, variableValues }: ExecutionArgs): SharedRoot | null {
  const operation = getOperationAST(document, operationName);
  const [node, ...others] = operation?.selectionSet.selections ?? [];
  if (operation == null || others.length > 0 || node?.kind !== Kind.FIELD || (node.directives?.length ?? 0) > 0)
    return null;
  const field = schema.getSubscriptionType()?.getFields()[node.name.value];
  const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], variableValues ?? {});
  return field === undefined || coerced === undefined ? null : { field, node, variables: coerced };
}

/** One execution of the selection, as graphql does it for each event of a subscription. */
function renderWith(args: ExecutionArgs, update: StreamedChanges): string | Promise<string> {
  const result = execute({ ...args, rootValue: update });
  return result instanceof Promise ? result.then(serialise) : serialise(result);
}

function serialise({ data, errors }: ExecutionResult): string {
  return JSON.stringify({ ...(errors !== undefined && { errors: errors.map(maskError) }), data });
}

const printed = new WeakMap<DocumentNode, string>();

/** Documents that differ in blanks and comments only are one. */
function normalised(document: DocumentNode): string {
  let text = printed.get(document);
  if (text === undefined) printed.set(document, (text = print(document)));
  return text;
}

/** The variables less the one that is nothing but the place to start from: those who came back share with those who stayed. */
function keyVariables({ document, variableValues }: ExecutionArgs): unknown {
  const cursor = cursorVariable(document);
  if (cursor === null) return variableValues ?? null;
  const entries = Object.entries(variableValues ?? {}).filter(([name]) => name !== cursor);
  return entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

const cursors = new WeakMap<DocumentNode, { readonly name: string | null }>();

function cursorVariable(document: DocumentNode): string | null {
  let known = cursors.get(document);
  if (known === undefined) cursors.set(document, (known = { name: findCursorVariable(document) }));
  return known.name;
}

function findCursorVariable(document: DocumentNode): string | null {
  const uses = new Map<string, number>();
  const candidates: string[] = [];
  visit(document, {
    VariableDefinition: () => false,
    Argument({ name, value }) {
      if (name.value === 'after' && value.kind === Kind.VARIABLE) candidates.push(value.name.value);
    },
    Variable({ name }) {
      uses.set(name.value, (uses.get(name.value) ?? 0) + 1);
    },
  });
  const [name, ...others] = candidates;
  return name !== undefined && others.length === 0 && uses.get(name) === 1 ? name : null;
}
