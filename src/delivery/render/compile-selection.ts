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
import { forEachInTurns } from '../../shared/index.js';
import { collectFields, type SelectionScope } from './collect-fields.js';
import { createLeafWriter, NotCompilableError } from './leaf-writer.js';

/**
 * Extension of object types whose JSON depends on the object and the generation only. Such an object is rendered once per
 * selection and generation, regardless of the number of updates that contain it.
 */
export const RENDER_ONCE = 'swarmlens.renderedOnce';

/** Extension of fields that are left to graphql's `execute`, whose budget limits the size of the answer. */
export const NOT_COMPILED = 'swarmlens.notCompiled';

/** Root field of a subscription with its selection. */
export interface RootSelection {
  readonly field: GraphQLField<unknown, unknown>;
  /** Coerced arguments of the field. */
  readonly args: Readonly<Record<string, unknown>>;
  /** Key that is equal for operations that render the same event equally, regardless of the arguments of the field. */
  readonly key: string;
  readonly responseKey: string;
  readonly nodes: readonly FieldNode[];
  readonly scope: SelectionScope;
}

/** JSON text in parts. Parts that are rendered once are UTF-8 bytes and must not be modified. */
export type RenderedJson = readonly (string | Buffer)[];

/**
 * Renders the response to one event of a subscription.
 * @param event event that the subscription yields
 * @param generation number of the generation; cached parts of another generation are rendered again
 * @returns the response, or null if it needs graphql's `execute`, for example because of an error or a promise. A promise of
 *   it if the event has long lists of objects, which are rendered in several turns of the event loop
 */
export type SelectionRenderer = (
  event: unknown,
  context: unknown,
  generation: number,
) => RenderedJson | null | Promise<RenderedJson | null>;

/** Length of a list of objects from which on it is rendered in several turns of the event loop. */
export const LONG_LIST = 500;

/**
 * Resolves the root field of a subscription with its arguments and selection.
 * @returns null if the subscription has no single root field or its variables are invalid; graphql then reports the error
 * @throws GraphQLError if the arguments are invalid
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
  return { field, args, key: formatSelectionKey(document, responseKey, nodes, coerced), responseKey, nodes, scope };
}

/** Compiles a selection to a renderer. @returns null if it contains abstract types, fields that are not compiled, or unsupported resolvers */
export function compileSelection({ field, args, responseKey, nodes, scope }: RootSelection): SelectionRenderer | null {
  const head = `{"data":{${JSON.stringify(responseKey)}:`;
  let write: Writer;
  try {
    write = createFieldWriter(field, args, nodes, scope);
  } catch (error) {
    if (error instanceof NotCompilableError) return null;
    throw error;
  }
  return (event, context, generation) => {
    const longLists: (() => Promise<void>)[] = [];
    const writeContext: WriteContext = { context, generation, cachedParts: [], longLists };
    try {
      const text = `${head}${write(event, writeContext)}}}`;
      if (longLists.length === 0) return insertCachedParts(text, writeContext.cachedParts);
      // graphql's execution reports an error with its location.
      return renderLongLists(longLists).then(
        () => insertCachedParts(text, writeContext.cachedParts),
        () => null,
      );
    } catch {
      return null;
    }
  };
}

async function renderLongLists(longLists: readonly (() => Promise<void>)[]): Promise<void> {
  for (const render of longLists) await render();
}

interface WriteContext {
  readonly context: unknown;
  readonly generation: number;
  /** Cached bytes that replace the placeholders in the text, in their order. */
  readonly cachedParts: (readonly Buffer[])[];
  /** Renderings of long lists, which fill their `cachedParts` later. Null inside a long list. */
  readonly longLists: (() => Promise<void>)[] | null;
}

/** Placeholder for cached bytes. JSON text cannot contain the character, because it is escaped. */
const PLACEHOLDER = '\0';

function insertCachedParts(text: string, cachedParts: readonly (readonly Buffer[])[]): RenderedJson {
  if (cachedParts.length === 0) return [text];
  const parts: (string | Buffer)[] = [];
  let start = 0;
  for (const buffers of cachedParts) {
    const end = text.indexOf(PLACEHOLDER, start);
    parts.push(text.slice(start, end));
    for (const bytes of buffers) parts.push(bytes);
    start = end + 1;
  }
  parts.push(text.slice(start));
  return parts;
}

type Writer = (value: unknown, writeContext: WriteContext) => string;

function createFieldWriter(
  field: GraphQLField<unknown, unknown>,
  args: Readonly<Record<string, unknown>>,
  nodes: readonly FieldNode[],
  scope: SelectionScope,
): Writer {
  const { name, resolve } = field;
  const write = createWriter(field.type, nodes, scope);
  if (resolve === undefined) return (source, writeContext) => write(readProperty(source, name), writeContext);
  return (source, writeContext) => {
    const value = resolve(source, args, writeContext.context, UNREADABLE_INFO);
    if (value instanceof Promise) throw new NotCompilableError('a promise');
    return write(value, writeContext);
  };
}

function readProperty(source: unknown, name: string): unknown {
  if (typeof source !== 'object' || source === null) throw new NotCompilableError('a source that is not an object');
  const value: unknown = Reflect.get(source, name);
  if (typeof value === 'function') throw new NotCompilableError('a method');
  return value;
}

/** Resolve info that throws when a resolver reads it, because compiled selections have none. */
const UNREADABLE_INFO = new Proxy({} as GraphQLResolveInfo, {
  // The target may be empty, because the trap throws on every read.
  get() {
    throw new NotCompilableError('a resolver that reads its info');
  },
});

function createWriter(type: GraphQLOutputType, nodes: readonly FieldNode[], scope: SelectionScope): Writer {
  const write = createNonNullWriter(getNullableType(type), nodes, scope);
  if (!isNonNullType(type)) return (value, writeContext) => (value == null ? 'null' : write(value, writeContext));
  return (value, writeContext) => {
    if (value == null) throw new NotCompilableError('null for a non-null type');
    return write(value, writeContext);
  };
}

/** Creates a writer of non-null values. */
function createNonNullWriter(type: GraphQLOutputType, nodes: readonly FieldNode[], scope: SelectionScope): Writer {
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
      return createCachingListWriter(createObjectWriter(itemType, nodes, scope));
    }
    const write = createWriter(type.ofType, nodes, scope);
    return (values, writeContext) => {
      if (!Array.isArray(values)) throw new NotCompilableError('a list that is not an array');
      if (isObjectType(itemType) && isLong(values, writeContext)) return writeLongList(values, write, writeContext);
      let text = '[';
      for (let index = 0; index < values.length; index += 1) {
        text += index === 0 ? write(values[index], writeContext) : `,${write(values[index], writeContext)}`;
      }
      return `${text}]`;
    };
  }
  if (!isObjectType(type) || type.isTypeOf != null) throw new NotCompilableError(`the type ${String(type)}`);
  return createObjectWriter(type, nodes, scope);
}

function createObjectWriter(type: GraphQLObjectType, nodes: readonly FieldNode[], scope: SelectionScope): Writer {
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
    if (field === undefined || field.extensions[NOT_COMPILED] === true) {
      throw new NotCompilableError(`the field ${node.name.value}`);
    }
    fields.push({
      head,
      write: createFieldWriter(field, getArgumentValues(field, node, scope.variables), fieldNodes, scope),
    });
  }
  return (source, writeContext) => {
    if (source instanceof Error) throw new NotCompilableError('an error');
    let text = '{';
    for (const { head, write } of fields) text += head + write(source, writeContext);
    return `${text}}`;
  };
}

function isLong(values: readonly unknown[], { longLists }: WriteContext): boolean {
  return longLists !== null && values.length >= LONG_LIST;
}

/** Writes a placeholder for a list that is rendered later, in several turns of the event loop. */
function writeLongList(values: readonly unknown[], write: Writer, writeContext: WriteContext): string {
  const parts: Buffer[] = [];
  writeContext.cachedParts.push(parts);
  writeContext.longLists?.push(() =>
    forEachInTurns(values, (value) => {
      const itemContext: WriteContext = { ...writeContext, cachedParts: [], longLists: null };
      const text = `${parts.length === 0 ? '' : ','}${write(value, itemContext)}`;
      for (const part of insertCachedParts(text, itemContext.cachedParts)) parts.push(Buffer.from(part));
    }),
  );
  return `[${PLACEHOLDER}]`;
}

/** Creates a writer of lists that renders each object once per generation, regardless of the lists that contain it. */
function createCachingListWriter(write: Writer): Writer {
  /** Rendered objects with a leading comma. */
  const cache = new Map<unknown, Buffer>();
  let generation = NaN;
  return (values, writeContext) => {
    if (!Array.isArray(values)) throw new NotCompilableError('a list that is not an array');
    if (writeContext.generation !== generation) {
      generation = writeContext.generation;
      cache.clear();
    }
    const items = values as readonly unknown[];
    const parts: Buffer[] = [];
    const add = (value: unknown): void => {
      // A list that is rendered in several turns may be older than the cache.
      const isCurrent = writeContext.generation === generation;
      let bytes = isCurrent ? cache.get(value) : undefined;
      if (bytes === undefined) {
        if (value == null) throw new NotCompilableError('null for a non-null type');
        bytes = Buffer.from(`,${write(value, writeContext)}`);
        if (isCurrent) cache.set(value, bytes);
      }
      parts.push(parts.length === 0 ? bytes.subarray(1) : bytes);
    };
    if (items.length === 0) return '[]';
    writeContext.cachedParts.push(parts);
    if (isLong(items, writeContext)) writeContext.longLists?.push(() => forEachInTurns(items, add));
    else for (const value of items) add(value);
    return `[${PLACEHOLDER}]`;
  };
}

function toFragments(document: DocumentNode): Record<string, FragmentDefinitionNode> {
  const fragments: Record<string, FragmentDefinitionNode> = {};
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments[definition.name.value] = definition;
  }
  return fragments;
}

/** Formats the key of a selection. White space, comments, operation names and arguments of the root field are ignored. */
function formatSelectionKey(
  document: DocumentNode,
  responseKey: string,
  nodes: readonly FieldNode[],
  variables: Readonly<Record<string, unknown>>,
): string {
  const { text, variableNames } = printSelection(document, nodes);
  return JSON.stringify([responseKey, text, variableNames.map((name) => (name in variables ? [variables[name]] : []))]);
}

interface PrintedSelection {
  readonly text: string;
  /** Names of the variables that the selection uses. */
  readonly variableNames: readonly string[];
}

const printedSelections = new WeakMap<FieldNode, PrintedSelection>();

function printSelection(document: DocumentNode, nodes: readonly FieldNode[]): PrintedSelection {
  const [first] = nodes;
  const cached = first && nodes.length === 1 ? printedSelections.get(first) : undefined;
  if (cached !== undefined) return cached;
  const variableNames = new Set<string>();
  const parts = [
    ...nodes.flatMap(({ selectionSet }) => (selectionSet === undefined ? [] : [selectionSet])),
    ...document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION),
  ];
  for (const part of parts) visit(part, { Variable: ({ name }) => void variableNames.add(name.value) });
  const result = { text: parts.map(print).join('\n'), variableNames: [...variableNames].sort() };
  if (first && nodes.length === 1) printedSelections.set(first, result);
  return result;
}
