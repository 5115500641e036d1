import {
  type DocumentNode,
  execute,
  type ExecutionResult,
  GraphQLFloat,
  GraphQLInt,
  GraphQLInterfaceType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
  parse,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { RENDER_ONCE } from '../../../src/delivery/index.js';
import {
  compileSelection,
  resolveRootSelection,
  type RootSelection,
  type SelectionRenderer,
} from '../../../src/delivery/render/compile-selection.js';

const required = <T extends GraphQLObjectType>(type: T): GraphQLNonNull<GraphQLList<GraphQLNonNull<T>>> =>
  new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(type)));

let rendered = 0;

/** Object that is rendered once per generation. */
const Agent = new GraphQLObjectType({
  name: 'Agent',
  extensions: { [RENDER_ONCE]: true },
  fields: {
    name: { type: GraphQLString },
    shout: {
      type: GraphQLString,
      args: { suffix: { type: GraphQLString, defaultValue: '!' } },
      resolve: (source: { name: string }, { suffix }) => {
        rendered += 1;
        return source.name.toUpperCase() + String(suffix);
      },
    },
  },
});

const Named = new GraphQLInterfaceType({ name: 'Named', fields: { name: { type: GraphQLString } } });
const Checked = new GraphQLObjectType({
  name: 'Checked',
  fields: { name: { type: GraphQLString } },
  isTypeOf: () => true,
});
const AnyText = new GraphQLScalarType({ name: 'AnyText', serialize: String });
const Plain = new GraphQLObjectType({
  name: 'Plain',
  fields: { text: { type: new GraphQLNonNull(GraphQLString) }, number: { type: GraphQLFloat } },
});

const Update: GraphQLObjectType = new GraphQLObjectType({
  name: 'Update',
  fields: () => ({
    text: { type: GraphQLString },
    required: { type: new GraphQLNonNull(GraphQLString) },
    agents: { type: required(Agent) },
    more: { type: required(Agent) },
    optional: { type: new GraphQLList(new GraphQLNonNull(Agent)) },
    plain: { type: Plain },
    plains: { type: new GraphQLList(Plain) },
    requiredPlains: { type: required(Plain) },
    anyText: { type: AnyText },
    numbers: { type: new GraphQLList(GraphQLInt) },
    named: { type: Named },
    checked: { type: Checked },
    context: { type: GraphQLString, resolve: (_source, _args, context: { user: string }) => context.user },
    later: { type: GraphQLString, resolve: () => Promise.resolve('later') },
    info: { type: GraphQLString, resolve: (_source, _args, _context, { fieldName }) => fieldName },
    broken: {
      type: GraphQLString,
      resolve: () => {
        throw new Error('broken');
      },
    },
    nested: { type: Update, resolve: (source: unknown) => source },
  }),
});

const Subscription = new GraphQLObjectType({
  name: 'Subscription',
  fields: {
    update: {
      type: new GraphQLNonNull(Update),
      args: { id: { type: GraphQLInt }, size: { type: new GraphQLNonNull(GraphQLInt), defaultValue: 1 } },
      resolve: (event: unknown) => event,
    },
    other: { type: GraphQLString },
  },
});

const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: 'Query', fields: { none: { type: GraphQLString } } }),
  subscription: Subscription,
});

const CONTEXT = { user: 'ann' };

function resolveSelection(
  text: string,
  variableValues: Record<string, unknown> = {},
  operationName?: string,
): RootSelection | null {
  const document = parse(text);
  return resolveRootSelection({ schema, document, variableValues, ...(operationName && { operationName }) });
}

function rendererOf(text: string, variableValues: Record<string, unknown> = {}): SelectionRenderer | null {
  const selection = resolveSelection(text, variableValues);
  return selection && compileSelection(selection);
}

async function render(renderer: SelectionRenderer | null, event: unknown, generation = 1): Promise<string | null> {
  const parts = (await renderer?.(event, CONTEXT, generation)) ?? null;
  return parts === null
    ? null
    : Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))).toString();
}

async function executed(
  document: DocumentNode,
  event: unknown,
  variableValues: Record<string, unknown>,
): Promise<ExecutionResult> {
  return await execute({ schema, document, rootValue: event, contextValue: CONTEXT, variableValues });
}

const ann = { name: 'ann' };
const EVENT = {
  text: 'a "text"\u0000',
  required: 'r',
  agents: [ann, { name: null }, { name: 'bob' }],
  more: [{ name: 'eve' }, ann],
  optional: null,
  plain: { text: 't', number: 0.5 },
  plains: [{ text: 't' }, null, { text: 'u', number: null }],
  numbers: [1, null, 2],
};

describe('compileSelection', () => {
  test.each<[string, Record<string, unknown>?]>([
    ['{ text required nested { nested { text } } }'],
    ['{ a: text __typename b: text t: __typename }'],
    ['{ agents { name } }'],
    ['{ agents { name } text more { name } optional { name } nested { agents { name } } }'],
    ['{ first: agents { name __typename } second: agents { name } }'],
    ['{ plain { text number } plains { number text } numbers }'],
    ['{ agents { name } ...F } fragment F on Update { text agents { ...G } } fragment G on Agent { n: name }'],
    ['{ text @include(if: $yes) required @skip(if: $yes) context }', { yes: true }],
    ['{ text @include(if: $yes) required @skip(if: $yes) context }', { yes: false }],
  ])('renders %s as graphql does', async (selection, variables = {}) => {
    const [set = '', ...fragments] = selection.split(/(?=fragment)/);
    const head = 'yes' in variables ? 'subscription ($yes: Boolean!)' : 'subscription';
    const text = `${head} { key: update(id: 1) ${set} } ${fragments.join(' ')}`;
    // graphql executes the root field of a query only; the types below it are the same.
    const result = await executed(parse(text), EVENT, variables);
    const renderer = rendererOf(text, variables);
    expect(await render(renderer, EVENT)).toBe(JSON.stringify(result));
    expect(await render(renderer, EVENT)).toBe(JSON.stringify(result));
  });

  test('renders empty lists, and lists of one object', async () => {
    const renderer = rendererOf('subscription { update { agents { name } more { name } text } }');
    expect(await render(renderer, { ...EVENT, agents: [], more: [ann], text: null })).toBe(
      '{"data":{"update":{"agents":[],"more":[{"name":"ann"}],"text":null}}}',
    );
  });

  test('renders an object once per generation and selection', async () => {
    const renderer = rendererOf('subscription { update { agents { shout } } }');
    const agents = [ann, ann];
    const before = rendered;
    const count = (): number => rendered - before;
    expect(await render(renderer, { agents }, 1)).toContain('"ANN!"');
    expect(await render(renderer, { agents: [{ name: 'bob' }, ann] }, 1)).toContain(
      '[{"shout":"BOB!"},{"shout":"ANN!"}]',
    );
    expect(count()).toBe(2);
    await render(renderer, { agents }, 2);
    expect(count()).toBe(3);
    const withArguments = rendererOf('subscription ($s: String) { update { agents { shout(suffix: $s) } } }', {
      s: '?',
    });
    expect(await render(withArguments, { agents }, 2)).toContain('"ANN?"');
  });

  test.each([499, 500, 501, 1_700])('renders lists of %i objects as graphql does', async (length) => {
    const agents = Array.from({ length }, (_, index) => ({ name: `agent ${index}` }));
    const text = 'subscription { update { text agents { name } nested { more { name } } required } }';
    const event = { ...EVENT, agents, more: [ann, ...agents] };
    const result = JSON.stringify(await executed(parse(text), event, {}));
    const renderer = rendererOf(text);
    expect(await render(renderer, event)).toBe(result);
    expect(await render(renderer, event)).toBe(result);
    expect(await render(renderer, { ...event, agents: [...agents, null] })).toBeNull();
    expect(await render(renderer, { ...event, agents: [...agents, { name: () => 'method' }] })).toBeNull();
  });

  test.each([499, 500, 1_201])('renders lists of %i other objects as graphql does', async (length) => {
    const plains = Array.from({ length }, (_, index) =>
      index % 7 === 3 ? null : { text: `plain ${index}`, number: index },
    );
    const text = 'subscription { update { text plains { number text } nested { plains { text } agents { name } } } }';
    const event = { ...EVENT, plains };
    expect(await render(rendererOf(text), event)).toBe(JSON.stringify(await executed(parse(text), event, {})));
    expect(await render(rendererOf(text), { ...event, plains: [...plains, { text: null }] })).toBeNull();
  });

  test.each([3, 600])('renders %i objects again when they are not rendered once per generation', async (length) => {
    const renderer = rendererOf('subscription { update { requiredPlains { text } } }');
    const plain = { text: 'before' };
    const event = { requiredPlains: Array.from({ length }, () => plain) };
    expect(await render(renderer, event)).toContain('"before"');
    plain.text = 'after';
    expect(await render(renderer, event)).not.toContain('"before"');
  });

  test.each([
    ['null for a non-null field', '{ required }', { ...EVENT, required: null }],
    ['undefined for a non-null field', '{ required }', { ...EVENT, required: undefined }],
    ['null in a list of non-null objects', '{ agents { name } }', { ...EVENT, agents: [ann, null] }],
    ['null for a non-null list', '{ agents { name } }', { ...EVENT, agents: null }],
    ['an iterable that is no array', '{ agents { name } }', { ...EVENT, agents: new Set([ann]) }],
    ['an iterable of scalars that is no array', '{ numbers }', { ...EVENT, numbers: new Set([1]) }],
    ['an error as an object', '{ plain { text } }', { ...EVENT, plain: new Error('failed') }],
    ['an error as a scalar', '{ text }', { ...EVENT, text: new Error('failed') }],
    ['a method', '{ text }', { ...EVENT, text: () => 'called' }],
    ['a method of a scalar that writes anything', '{ anyText }', { ...EVENT, anyText: () => 'called' }],
    ['an object that is a text', '{ plain { text } }', { ...EVENT, plain: 'text' }],
    ['null for the root field', '{ text }', null],
    ['a promise', '{ later }', EVENT],
    ['a resolver that reads its info', '{ info }', EVENT],
    ['a resolver that throws', '{ broken }', EVENT],
    ['a number that is not an integer', '{ numbers }', { ...EVENT, numbers: [0.5] }],
  ])('leaves an update to graphql when it holds %s', async (_, selection, event) => {
    const renderer = rendererOf(`subscription { update ${selection} }`);
    expect(renderer).not.toBeNull();
    expect(await render(renderer, event)).toBeNull();
  });

  test.each(['{ named { name } }', '{ checked { name } }', '{ unknown }'])(
    'returns null when it cannot compile %s',
    (selection) => {
      expect(rendererOf(`subscription { update ${selection} }`)).toBeNull();
    },
  );
});

describe('resolveRootSelection', () => {
  test('returns the field, its arguments and its response key', () => {
    const selection = resolveSelection('subscription ($id: Int) { key: update(id: $id) { text } }', { id: 7 });
    expect(selection).toMatchObject({ args: { id: 7, size: 1 }, responseKey: 'key' });
    expect(selection?.field.name).toBe('update');
    expect(selection?.nodes).toHaveLength(1);
  });

  test.each([
    ['a query', '{ none }'],
    ['two root fields', 'subscription { update { text } other }'],
    ['no root field', 'subscription { ...F @skip(if: true) } fragment F on Subscription { other }'],
    ['an unknown root field', 'subscription { unknown }'],
    ['several operations without a name', 'subscription A { other } subscription B { other }'],
  ])('returns null for %s', (_, text) => {
    const selection = resolveSelection(text);
    expect(selection === null || selection.field.name === 'none').toBe(true);
    if (text !== '{ none }') expect(selection).toBeNull();
  });

  test('returns null when a variable is invalid, and throws when an argument is', () => {
    expect(resolveSelection('subscription ($id: Int) { update(id: $id) { text } }', { id: 'x' })).toBeNull();
    expect(resolveSelection('subscription ($id: Int!) { update(id: $id) { text } }')).toBeNull();
    expect(() => resolveSelection('subscription { update(size: null) { text } }')).toThrow();
  });

  test('selects the operation by name', () => {
    const text = 'subscription A { other } subscription B { b: other }';
    expect(resolveSelection(text, {}, 'B')?.responseKey).toBe('b');
  });

  const keyOf = (text: string, variables: Record<string, unknown> = {}): string | undefined =>
    resolveSelection(text, variables)?.key;

  test.each<[string, string, string]>([
    ['white space and comments', '{ update { text } }', '{ # comment\n update {\n text } }'],
    ['the name of the operation', 'A { update { text } }', 'B { update { text } }'],
    ['the arguments of the root field', '{ update(id: 1) { text } }', '{ update(id: 2) { text } }'],
  ])('has an equal key for operations that differ in %s', (_, one, other) => {
    expect(keyOf(`subscription ${one}`)).toBe(keyOf(`subscription ${other}`));
  });

  test.each<[string, string, string]>([
    ['the response key', '{ update { text } }', '{ key: update { text } }'],
    ['the selected fields', '{ update { text } }', '{ update { required } }'],
    [
      'a fragment',
      '{ update { ...F } } fragment F on Update { text }',
      '{ update { ...F } } fragment F on Update { required }',
    ],
    ['a second selection of the field', '{ update { text } }', '{ update { text } update { required } }'],
  ])('has another key for operations that differ in %s', (_, one, other) => {
    expect(keyOf(`subscription ${one}`)).not.toBe(keyOf(`subscription ${other}`));
  });

  test('depends on the variables that the selection uses, and no others', () => {
    const text =
      'subscription ($id: Int, $b: Boolean = true, $s: String) { update(id: $id) { agents { shout(suffix: $s) } text @skip(if: $b) } }';
    const key = keyOf(text, { id: 1, s: 'x', b: true });
    expect(keyOf(text, { id: 2, s: 'x' })).toBe(key);
    expect(keyOf(text, { id: 1, s: 'y' })).not.toBe(key);
    expect(keyOf(text, { id: 1, s: 'x', b: false })).not.toBe(key);
    expect(keyOf(text, { id: 1, s: null })).not.toBe(keyOf(text, { id: 1 }));
    const inFragment =
      'subscription ($s: String) { update { ...F } } fragment F on Update { agents { shout(suffix: $s) } }';
    expect(keyOf(inFragment, { s: 'x' })).not.toBe(keyOf(inFragment, { s: 'y' }));
  });

  test('has another key when a variable includes another selection of the field', () => {
    const document = parse('subscription ($b: Boolean!) { update { text } update @include(if: $b) { required } }');
    const key = (b: boolean): string | undefined =>
      resolveRootSelection({ schema, document, variableValues: { b } })?.key;
    const [one, both] = [key(false), key(true)];
    expect(one).not.toBe(both);
    expect([key(false), key(true)]).toEqual([one, both]);
  });

  test('has an equal key for the same document again', () => {
    const document = parse('subscription ($s: String) { update { agents { shout(suffix: $s) } } }');
    const key = (s: string): string | undefined =>
      resolveRootSelection({ schema, document, variableValues: { s } })?.key;
    expect([key('x'), key('y')]).toEqual([key('x'), key('y')]);
    expect(key('x')).not.toBe(key('y'));
  });
});
