import {
  type DocumentNode,
  type ExecutionArgs,
  type FieldNode,
  type FragmentDefinitionNode,
  getArgumentValues,
  getNullableType,
  getOperationAST,
  getVariableValues,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  print,
  visit,
} from 'graphql';
import { collectFields, type SelectionScope } from './collect-fields.js';
import { createLeafWriter, NotCompilableError } from './leaf-writer.js';

/**
 * Marks an object type whose text depends on the object and the moment only: within one generation an object is
 * rendered once for a selection, however many updates it is part of.
 */
export const RENDER_ONCE = 'swarmlens.renderedOnce';

/** The one field of a subscription with what is selected of it. */
export interface RootSelection {
  readonly field: GraphQLField<unknown, unknown>;
  /** Of the field, coerced. */
  readonly args: Readonly<Record<string, unknown>>;
  /** Equal for operations whose answers to the same event are equal, whatever they ask the field itself for. */
  readonly key: string;
  readonly responseKey: string;
  readonly nodes: readonly FieldNode[];
  readonly scope: SelectionScope;
}

/** JSON text in pieces: what was rendered once comes as UTF-8 bytes, which are not to be changed. */
export type RenderedJson = readonly (string | Buffer)[];

/**
 * @param event what the subscription's event stream yields
 * @param generation what was rendered once is rendered anew when this is another
 * @returns the response; `null` when only graphql's `execute` can tell: errors, promises
 */
export type SelectionRenderer = (event: unknown, context: unknown, generation: number) => RenderedJson | null;

/**
 * @returns `null` for a subscription that is anything but one field, and for wrong variables: graphql says what is wrong
 * @throws GraphQLError for wrong arguments
 */
export function resolveRootSelection({
  schema,
  document,
  operationName,
  variableValues,
}: ExecutionArgs): RootSelection | null {
  const operation = getOperationAST(document, operationName);
  const type = schema.getSubscriptionType();
  if (operation == null || type == null) return null;
  const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], variableValues ?? {});
  if (coerced === undefined) return null;
  const scope = { schema, fragments: toFragments(document), variables: coerced };
  const [[responseKey, nodes] = [], ...otherFields] = collectFields(scope, type, [operation.selectionSet]);
  const [node] = nodes ?? [];
  if (responseKey === undefined || nodes === undefined || node === undefined || otherFields.length > 0) return null;
  const field = type.getFields()[node.name.value];
  if (field === undefined) return null;
  const args = getArgumentValues(field, node, coerced);
  return { field, args, key: selectionKey(document, responseKey, nodes, coerced), responseKey, nodes, scope };
}

/** @returns `null` when the selection has something that is not compiled: abstract types, resolvers of other kinds */
export function compileSelection({ field, args, responseKey, nodes, scope }: RootSelection): SelectionRenderer | null {
  const head = `{"data":{${JSON.stringify(responseKey)}:`;
  let write: Writer;
  try {
    write = fieldWriter(field, args, nodes, scope);
  } catch (error) {
    if (error instanceof NotCompilableError) return null;
    throw error;
  }
  return (event, context, generation) => {
    const env: WriteContext = { context, generation, holes: [] };
    try {
      return filled(`${head}${write(event, env)}}}`, env.holes);
    } catch {
      // graphql's own execution tells what is wrong, and where.
      return null;
    }
  };
}

interface WriteContext {
  readonly context: unknown;
  readonly generation: number;
  /** What goes into the holes of the text, in their order. */
  readonly holes: (readonly Buffer[])[];
}

/** Stands in the text where bytes belong: it cannot stand there by itself, because JSON escapes it. */
const HOLE = '\0';

function filled(text: string, holes: readonly (readonly Buffer[])[]): RenderedJson {
  if (holes.length === 0) return [text];
  const parts: (string | Buffer)[] = [];
  let from = 0;
  for (const hole of holes) {
    const at = text.indexOf(HOLE, from);
    parts.push(text.slice(from, at));
    for (const bytes of hole) parts.push(bytes);
    from = at + 1;
  }
  parts.push(text.slice(from));
  return parts;
}

type Writer = (value: unknown, env: WriteContext) => string;

function fieldWriter(
  field: GraphQLField<unknown, unknown>,
  args: Readonly<Record<string, unknown>>,
  nodes: readonly FieldNode[],
  scope: SelectionScope,
): Writer {
  const { name, resolve } = field;
  const complete = writerOf(field.type, nodes, scope);
  if (resolve === undefined) return (source, env) => complete(propertyOf(source, name), env);
  return (source, env) => {
    const value = resolve(source, args, env.context, NO_INFO);
    if (value instanceof Promise) throw new NotCompilableError('a promise');
    return complete(value, env);
  };
}

function propertyOf(source: unknown, name: string): unknown {
  if (typeof source !== 'object' || source === null) throw new NotCompilableError('a source that is no object');
  const value: unknown = Reflect.get(source, name);
  if (typeof value === 'function') throw new NotCompilableError('a method');
  return value;
}

/** A resolver that looks at where it is called from is not for us. */
const NO_INFO = new Proxy({} as GraphQLResolveInfo, {
  // Nothing of it can be read, so that it has nothing does not matter.
  get() {
    throw new NotCompilableError('a resolver that reads its info');
  },
});

function writerOf(type: GraphQLOutputType, nodes: readonly FieldNode[], scope: SelectionScope): Writer {
  const write = valueWriter(getNullableType(type), nodes, scope);
  if (!isNonNullType(type)) return (value, env) => (value == null ? 'null' : write(value, env));
  return (value, env) => {
    if (value == null) throw new NotCompilableError('null where there must be a value');
    return write(value, env);
  };
}

/** Writes values that are not null. */
function valueWriter(type: GraphQLOutputType, nodes: readonly FieldNode[], scope: SelectionScope): Writer {
  if (isLeafType(type)) {
    const write = createLeafWriter(type);
    return (value) => {
      if (value instanceof Error) throw new NotCompilableError('an error');
      return write(value);
    };
  }
  if (isListType(type)) {
    const itemType = isNonNullType(type.ofType) ? type.ofType.ofType : null;
    if (isObjectType(itemType) && itemType.extensions[RENDER_ONCE] === true) {
      return listOfOnce(objectWriter(itemType, nodes, scope));
    }
    const write = writerOf(type.ofType, nodes, scope);
    return (values, env) => {
      if (!Array.isArray(values)) throw new NotCompilableError('a list that is no array');
      let text = '[';
      for (let index = 0; index < values.length; index += 1) {
        text += index === 0 ? write(values[index], env) : `,${write(values[index], env)}`;
      }
      return `${text}]`;
    };
  }
  if (!isObjectType(type) || type.isTypeOf != null) throw new NotCompilableError(`the type ${String(type)}`);
  return objectWriter(type, nodes, scope);
}

function objectWriter(type: GraphQLObjectType, nodes: readonly FieldNode[], scope: SelectionScope): Writer {
  const fields: { readonly head: string; readonly write: Writer }[] = [];
  const selectionSets = nodes.map(({ selectionSet }) => selectionSet);
  for (const [key, fieldNodes] of collectFields(scope, type, selectionSets)) {
    const [node] = fieldNodes;
    if (node === undefined) continue;
    const head = `${fields.length === 0 ? '' : ','}${JSON.stringify(key)}:`;
    if (node.name.value === '__typename') {
      const name = JSON.stringify(type.name);
      fields.push({ head, write: () => name });
      continue;
    }
    const field = type.getFields()[node.name.value];
    if (field === undefined) throw new NotCompilableError(`the field ${node.name.value}`);
    fields.push({
      head,
      write: fieldWriter(field, getArgumentValues(field, node, scope.variables), fieldNodes, scope),
    });
  }
  return (source, env) => {
    if (source instanceof Error) throw new NotCompilableError('an error');
    let text = '{';
    for (const { head, write } of fields) text += head + write(source, env);
    return `${text}}`;
  };
}

/** A list of objects that are each rendered once in a generation, however many lists they are in. */
function listOfOnce(write: Writer): Writer {
  /** Each with the comma before it. */
  const known = new Map<unknown, Buffer>();
  let generation = NaN;
  return (values, env) => {
    if (!Array.isArray(values)) throw new NotCompilableError('a list that is no array');
    if (env.generation !== generation) {
      generation = env.generation;
      known.clear();
    }
    const parts: Buffer[] = [];
    for (const value of values as readonly unknown[]) {
      let bytes = known.get(value);
      if (bytes === undefined) {
        if (value == null) throw new NotCompilableError('null where there must be a value');
        bytes = Buffer.from(`,${write(value, env)}`);
        known.set(value, bytes);
      }
      parts.push(parts.length === 0 ? bytes.subarray(1) : bytes);
    }
    if (parts.length === 0) return '[]';
    env.holes.push(parts);
    return `[${HOLE}]`;
  };
}

function toFragments(document: DocumentNode): Record<string, FragmentDefinitionNode> {
  const fragments: Record<string, FragmentDefinitionNode> = {};
  for (const one of document.definitions) if (one.kind === Kind.FRAGMENT_DEFINITION) fragments[one.name.value] = one;
  return fragments;
}

/** Documents that differ in blanks, comments, names, or in the arguments of the root field only are one. */
function selectionKey(
  document: DocumentNode,
  responseKey: string,
  nodes: readonly FieldNode[],
  variables: Readonly<Record<string, unknown>>,
): string {
  const { text, used } = printedSelection(document, nodes);
  return JSON.stringify([responseKey, text, used.map((name) => (name in variables ? [variables[name]] : []))]);
}

interface PrintedSelection {
  readonly text: string;
  /** Names of the variables below the root field. */
  readonly used: readonly string[];
}

const printed = new WeakMap<FieldNode, PrintedSelection>();

function printedSelection(document: DocumentNode, nodes: readonly FieldNode[]): PrintedSelection {
  const [first] = nodes;
  const known = first && nodes.length === 1 ? printed.get(first) : undefined;
  if (known !== undefined) return known;
  const used = new Set<string>();
  const parts = [
    ...nodes.flatMap(({ selectionSet }) => (selectionSet === undefined ? [] : [selectionSet])),
    ...document.definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION),
  ];
  for (const part of parts) visit(part, { Variable: ({ name }) => void used.add(name.value) });
  const result = { text: parts.map(print).join('\n'), used: [...used].sort() };
  if (first && nodes.length === 1) printed.set(first, result);
  return result;
}
