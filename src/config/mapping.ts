import { z } from 'zod';
import type {
  AgentSource,
  DetailSource,
  EdgeSource,
  EntrySource,
  FieldSource,
  JoinSource,
  ListSource,
  ServerMapping,
  SwarmSource,
  TaskSource,
  Template,
} from '../adapters/index.js';
import { AGENT_STATUSES, TASK_STATUSES } from '../model/index.js';
import { wholeNumberSchema } from './issues.js';
import { checkReferences, findProblem } from './mapping/check-references.js';
import { emptySchema, whereSchema } from './mapping/conditions.js';
import { fieldSchema, patternSchema } from './mapping/fields.js';
import { MAPPED_FIELDS } from './mapping/keys.js';
import { parseTemplate, pathSchema, RESERVED_NAMES, singlePathSchema, TEMPLATE_HINT } from './mapping/paths.js';
import { isTableValue, selectSchema } from './mapping/select-schema.js';

const SHAPES = ['list', 'map', 'one', 'pattern'] as const;
const SHAPE_HINT =
  'expected one of "list", "map" and "one" with the path to the entries in the response, or "pattern" with a regular expression';
const MAX_SOURCES = 16;
const MAX_JOINS = 4;
const MAX_PAGES = 100;
const MAX_DETAILS = 500;
const JOIN_NAME = /^[A-Za-z][\w-]{0,31}$/;
const JOIN_NAME_HINT = `expected a name of letters, digits, "-" and "_" as the key, except ${RESERVED_NAMES.join(', ')}`;
const SOURCES_HINT = `expected 1 to ${MAX_SOURCES} sources`;

const argumentsSchema = z.record(z.string(), z.unknown());

const pagesSchema = z.strictObject({
  cursor: singlePathSchema,
  argument: z.string().min(1).default('cursor'),
  max: wholeNumberSchema(1, MAX_PAGES, 'a number of pages, a whole number').default(20),
});

const notBesideResource = z.never({ error: 'not allowed beside "resource"' }).optional();
const toolShape = { tool: z.string().min(1), arguments: argumentsSchema.optional() };
const resourceShape = {
  resource: z.string().min(1).max(1_024),
  tool: notBesideResource,
  arguments: notBesideResource,
};

const listShape = {
  list: pathSchema.optional(),
  map: pathSchema.optional(),
  one: pathSchema.optional(),
  pattern: patternSchema.optional(),
  text: singlePathSchema.optional(),
  where: whereSchema.optional(),
  empty: emptySchema.optional(),
};

/** Keys of a source that select its entries, after the parsing of either variant. */
type ListKeys = z.output<z.ZodObject<typeof listShape>> & {
  readonly tool?: string | undefined;
  readonly resource?: string | undefined;
  readonly arguments?: Readonly<Record<string, unknown>> | undefined;
  readonly pages?: z.output<typeof pagesSchema> | undefined;
};

/** Creates the schema of a request: a tool, or a resource, with further keys. */
function requestSchema<S extends z.ZodRawShape, T>(
  name: string,
  shape: S,
  hasPages: boolean,
  transform: (value: z.output<z.ZodObject<S>> & ListKeys, context: z.RefinementCtx) => T,
): z.ZodType<T> {
  const tool = z.strictObject({ ...toolShape, ...(hasPages ? { pages: pagesSchema.optional() } : {}), ...shape });
  const resource = z.strictObject({ ...resourceShape, ...(hasPages ? { pages: notBesideResource } : {}), ...shape });
  // Both schemas have the keys of the shape; zod cannot tell for a generic shape.
  const variants = [tool, resource].map((schema) =>
    schema.transform((value, context) => transform(value as z.output<z.ZodObject<S>> & ListKeys, context)),
  );
  return selectSchema<T>(name, variants, (value) => {
    const [toolVariant, resourceVariant] = variants;
    const variant = isTableValue(value) && 'resource' in value ? resourceVariant : toolVariant;
    return variant ?? z.never();
  });
}

function listSource(keys: ListKeys, place: string, context: z.RefinementCtx): ListSource {
  const shapes = SHAPES.filter((shape) => keys[shape] !== undefined);
  const [shape = 'list'] = shapes;
  if (shapes.length !== 1) context.addIssue({ code: 'custom', message: SHAPE_HINT });
  if (keys.text !== undefined && keys.pattern === undefined)
    context.addIssue({ code: 'custom', path: ['text'], message: 'only allowed beside "pattern"' });
  const path = shape === 'pattern' ? keys.text : keys[shape];
  const { where, empty, pages, pattern } = keys;
  return {
    ...request(keys),
    place,
    shape,
    path: path ?? { text: '', keys: [] },
    ...(pattern === undefined ? {} : { pattern }),
    ...(where === undefined ? {} : { where }),
    ...(empty === undefined ? {} : { empty }),
    ...(pages === undefined ? {} : { pages }),
  };
}

function request({ tool, resource, arguments: args }: ListKeys): Pick<ListSource, 'tool' | 'isResource' | 'arguments'> {
  return {
    tool: resource ?? tool ?? '',
    arguments: args ?? {},
    ...(resource === undefined ? {} : { isResource: true }),
  };
}

const detailSchema = requestSchema(
  'detail',
  { max: wholeNumberSchema(1, MAX_DETAILS, 'a number of entries, a whole number').default(50) },
  false,
  ({ max, ...keys }, context): DetailSource => {
    const templates = new Map<string, Template>();
    const addTemplates = (value: unknown, path: readonly PropertyKey[]): void => {
      if (typeof value === 'string') {
        const template = parseTemplate(value);
        if (template === null) context.addIssue({ code: 'custom', path: [...path], message: TEMPLATE_HINT });
        else templates.set(value, template);
      } else if (typeof value === 'object' && value !== null) {
        for (const [key, item] of Object.entries(value)) addTemplates(item, [...path, key]);
      }
    };
    if (keys.resource !== undefined) addTemplates(keys.resource, ['resource']);
    addTemplates(keys.arguments ?? {}, ['arguments']);
    return { ...request(keys), place: '', max, templates };
  },
);

const joinSchema = requestSchema(
  'join',
  { ...listShape, on: fieldSchema, to: fieldSchema.optional() },
  true,
  ({ on, to, ...keys }, context): Omit<JoinSource, 'to'> & { readonly to: FieldSource | undefined } => {
    const source = listSource(keys, '', context);
    checkReferences(context, [[['on'], on]], { source, joins: [], hasDetail: false });
    return { ...source, name: '', on, to };
  },
);

const joinsSchema = z.record(z.string(), joinSchema).superRefine((joins, context) => {
  const names = Object.keys(joins);
  if (names.length > MAX_JOINS) context.addIssue({ code: 'custom', message: `expected at most ${MAX_JOINS} joins` });
  for (const name of names) {
    if (!JOIN_NAME.test(name) || RESERVED_NAMES.includes(name))
      context.addIssue({ code: 'custom', path: [name], message: JOIN_NAME_HINT });
  }
});

const sourceShape = { ...listShape, join: joinsSchema.optional(), detail: detailSchema.optional() };

type SourceKeys = ListKeys & {
  readonly join?: z.output<typeof joinsSchema> | undefined;
  readonly detail?: DetailSource | undefined;
};

function entrySource(
  keys: SourceKeys,
  fields: Readonly<Record<string, FieldSource | undefined>>,
  place: string,
  context: z.RefinementCtx,
): EntrySource {
  const list = listSource(keys, place, context);
  const identity = fields['id'];
  const joins = Object.entries(keys.join ?? {}).flatMap(([name, { to = identity, ...join }]): JoinSource[] => {
    if (to !== undefined) return [{ ...join, to, name, place: `${place}.join.${name}` }];
    context.addIssue({ code: 'custom', path: ['join', name, 'to'], message: 'expected the path of an id, as in "on"' });
    return [];
  });
  const names = joins.map(({ name }) => name);
  const hasDetail = keys.detail !== undefined;
  const all = Object.entries(fields).map(([name, source]) => [['fields', name], source] as const);
  checkReferences(context, all, { source: list, joins: names, hasDetail });
  const ofEntry = { source: list, joins: [], hasDetail: false, isEarly: true };
  checkReferences(
    context,
    [
      ...(keys.where ?? []).map(({ field }) => [['where'], field] as const),
      // A mistake in the id, which replaces a missing "to", is reported there.
      ...joins
        .filter(({ to }) => to !== identity || findProblem(to, { source: list, joins: names, hasDetail }) === null)
        .map(({ name, to }) => [['join', name, 'to'], to] as const),
      ...[...(keys.detail?.templates.values() ?? [])].map(
        (template) => [['detail'], { from: 'template', template }] as const,
      ),
    ],
    ofEntry,
  );
  const detail = keys.detail === undefined ? {} : { detail: { ...keys.detail, place: `${place}.detail` } };
  return { ...list, ...(joins.length === 0 ? {} : { joins }), ...detail };
}

/** Creates the shape of fields, all of which are optional except `required`. */
function fieldsSchema<F extends string, R extends F>(names: readonly F[], required: readonly R[]) {
  const shape = Object.fromEntries(
    names.map((name) => [name, (required as readonly string[]).includes(name) ? fieldSchema : fieldSchema.optional()]),
  );
  return z.strictObject(shape).transform((fields) => {
    const defined = Object.entries(fields).filter(([, field]) => field !== undefined);
    // The schema has the names of the fields, of which the required ones are present.
    return Object.fromEntries(defined) as Readonly<Partial<Record<F, FieldSource>>> & Readonly<Record<R, FieldSource>>;
  });
}

/** Creates the schema of statuses by the words of the server. */
function statusesSchema<const S extends string>(statuses: readonly S[]): z.ZodType<ReadonlyMap<string, S>> {
  return z
    .record(z.string(), z.enum(statuses))
    .transform((words) => new Map(Object.entries(words).map(([word, status]) => [word.trim().toLowerCase(), status])));
}

/** Source with a place that is filled in later. */
const agentsSchema = requestSchema(
  'agentSource',
  {
    ...sourceShape,
    fields: fieldsSchema(MAPPED_FIELDS.agents, ['id']),
    statuses: statusesSchema(AGENT_STATUSES).optional(),
  },
  true,
  ({ fields, statuses, ...keys }, context): AgentSource => ({
    ...entrySource(keys, fields, '', context),
    fields,
    statuses: statuses ?? new Map(),
  }),
);
const swarmsSchema = requestSchema(
  'swarmSource',
  { ...sourceShape, fields: fieldsSchema(MAPPED_FIELDS.swarms, ['id']) },
  true,
  ({ fields, ...keys }, context): SwarmSource => ({ ...entrySource(keys, fields, '', context), fields }),
);
const tasksSchema = requestSchema(
  'taskSource',
  {
    ...sourceShape,
    fields: fieldsSchema(MAPPED_FIELDS.tasks, ['id']),
    statuses: statusesSchema(TASK_STATUSES).optional(),
  },
  true,
  ({ fields, statuses, ...keys }, context): TaskSource => ({
    ...entrySource(keys, fields, '', context),
    fields,
    statuses: statuses ?? new Map(),
  }),
);
const edgesSchema = requestSchema(
  'edgeSource',
  { ...sourceShape, fields: fieldsSchema(MAPPED_FIELDS.edges, ['from', 'to']) },
  true,
  ({ fields, ...keys }, context): EdgeSource => ({ ...entrySource(keys, fields, '', context), fields }),
);

/** Creates the schema of one or several sources. */
function sourcesSchema<S extends EntrySource>(key: string, schema: z.ZodType<S>): z.ZodType<readonly S[]> {
  const one = schema.transform((source): readonly S[] => [placed(source, `mapping.${key}`)]);
  const several = z
    .array(schema)
    .min(1, { error: SOURCES_HINT })
    .max(MAX_SOURCES, { error: SOURCES_HINT })
    .transform((sources): readonly S[] => sources.map((source, index) => placed(source, `mapping.${key}.${index}`)));
  return selectSchema(`${key}Sources`, [one, several], (value) => (Array.isArray(value) ? several : one));
}

/** Adds the place of a source in the configuration, which messages name. */
function placed<S extends EntrySource>(source: S, place: string): S {
  const { joins, detail } = source;
  return {
    ...source,
    place,
    ...(joins === undefined ? {} : { joins: joins.map((join) => ({ ...join, place: `${place}${join.place}` })) }),
    ...(detail === undefined ? {} : { detail: { ...detail, place: `${place}${detail.place}` } }),
  };
}

const objectSchema = z
  .strictObject({
    agents: sourcesSchema('agents', agentsSchema).optional(),
    swarms: swarmsSchema.optional(),
    tasks: sourcesSchema('tasks', tasksSchema).optional(),
    edges: sourcesSchema('edges', edgesSchema).optional(),
  })
  .superRefine(({ agents, tasks }, context) => {
    if (agents === undefined && tasks === undefined)
      context.addIssue({ code: 'custom', path: ['agents'], message: 'expected an object, or "tasks"' });
  })
  .transform(({ agents = [], swarms, tasks, edges }): ServerMapping => ({
    agents,
    swarms: swarms === undefined ? null : placed(swarms, 'mapping.swarms'),
    ...(tasks === undefined ? {} : { tasks }),
    ...(edges === undefined ? {} : { edges }),
  }));

/** Schema of the mapping of a server. */
export const mappingSchema = selectSchema<ServerMapping>('mapping', [objectSchema], () => objectSchema);
