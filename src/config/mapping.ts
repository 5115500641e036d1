import { z } from 'zod';
import type {
  MappedAgentField,
  AgentSource,
  FieldSource,
  ServerMapping,
  MappedSwarmField,
  SwarmSource,
  ValuePath,
} from '../adapters/index.js';
import { AGENT_STATUSES, mapNeuralFields, mapPerformanceFields } from '../model/index.js';
import { didYouMean, expectedMessage } from './issues.js';
import { documentedAs } from './json-schema.js';

const PATH_HINT = 'expected a path: names joined by dots ("result.agents"), a JSON Pointer ("/result/agents"), or ""';
const FIELD_HINT = `${PATH_HINT}, "$key", {"path": …, "scale": …} or {"value": …}`;
const SHAPES = ['list', 'map', 'one'] as const;
const MAX_SOURCES = 16;

/**
 * Creates a schema that selects one of several schemas by the kind of the value. Unlike a union, it reports a mistake
 * for the selected schema only.
 */
function selectSchema<T>(name: string, schemas: readonly z.ZodType<T>[], select: (value: unknown) => z.ZodType<T>) {
  const schema = z.unknown().transform((value, context): T => {
    const result = select(value).safeParse(value, { error: expectedMessage });
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      const { path, message } = issue;
      if (issue.code !== 'unrecognized_keys') context.issues.push({ code: 'custom', path, message, input: value });
      // An issue of the original kind would not stop the transformation that follows.
      else {
        for (const key of issue.keys) {
          const hint = `unknown option${didYouMean(key, MAPPING_KEYS)}`;
          context.issues.push({ code: 'custom', path: [...path, key], message: hint, input: value });
        }
      }
    }
    return z.NEVER;
  });
  return documentedAs(schema, name, schemas);
}

const pathSchema = z.string({ error: PATH_HINT }).transform((text, context): ValuePath => {
  const keys = text.startsWith('/') ? pointerKeys(text) : dottedKeys(text);
  if (keys !== null) return { text, keys };
  context.issues.push({ code: 'custom', message: PATH_HINT, input: text });
  return z.NEVER;
});

/** Returns the keys of a JSON Pointer (RFC 6901). Null if it is invalid. */
function pointerKeys(text: string): string[] | null {
  const keys = text.slice(1).split('/');
  if (keys.some((key) => /~(?![01])/.test(key))) return null;
  return keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Returns the keys of a dotted path. Null if it looks like JSONPath. A JSON Pointer can address `$` and brackets. */
function dottedKeys(text: string): string[] | null {
  if (text === '') return [];
  const keys = text.split('.');
  return keys.some((key) => key === '' || /[[\]$*]/.test(key)) ? null : keys;
}

const keySchema = z.literal('$key').transform((): FieldSource => ({ from: 'key' }));
const plainSchema = pathSchema.transform((path): FieldSource => ({ from: 'path', path, scale: 1 }));
const scaledSchema = z
  .strictObject({ path: pathSchema, scale: z.number().optional() })
  .transform(({ path, scale = 1 }): FieldSource => ({ from: 'path', path, scale }));
const VALUE_HINT = 'expected text, a number, true, false or a list of texts';
const constantSchema = z
  .strictObject({
    value: z.union([z.string(), z.number(), z.boolean(), z.array(z.string())], { error: VALUE_HINT }),
  })
  .transform(({ value }): FieldSource => ({ from: 'value', value }));

const fieldSchema = selectSchema<FieldSource>('fieldSource', [plainSchema, scaledSchema, constantSchema], (value) => {
  if (value === '$key') return keySchema;
  if (typeof value === 'string') return plainSchema;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return noFieldSchema;
  return 'value' in value ? constantSchema : scaledSchema;
});
const noFieldSchema = z.never({ error: FIELD_HINT });

const agentFieldsShape = {
  id: fieldSchema,
  ...optionalFields<Exclude<MappedAgentField, 'id'>>({
    name: true,
    type: true,
    status: true,
    swarmId: true,
    role: true,
    capabilities: true,
    createdAt: true,
    lastActiveAt: true,
    ...mapPerformanceFields(() => true as const),
    ...mapNeuralFields(
      () => true as const,
      () => true as const,
    ),
  }),
};

const swarmFieldsShape = {
  id: fieldSchema,
  ...optionalFields<Exclude<MappedSwarmField, 'id'>>({
    name: true,
    status: true,
    topology: true,
    strategy: true,
    maxAgents: true,
    tasksTotal: true,
    tasksActive: true,
    tasksCompleted: true,
    createdAt: true,
    agentIds: true,
  }),
};

/** @param names Record instead of a list, so that the compiler reports a missing name. */
function optionalFields<F extends string>(
  names: Readonly<Record<F, true>>,
): Record<F, z.ZodOptional<typeof fieldSchema>> {
  // Object.fromEntries drops the key type; the keys are those of the argument.
  return Object.fromEntries(Object.keys(names).map((name) => [name, fieldSchema.optional()])) as Record<
    F,
    z.ZodOptional<typeof fieldSchema>
  >;
}

const sourceShape = {
  tool: z.string().min(1),
  arguments: z.record(z.string(), z.unknown()).optional(),
  list: pathSchema.optional(),
  map: pathSchema.optional(),
  one: pathSchema.optional(),
};

type Source = z.output<z.ZodObject<typeof sourceShape>>;

const statusesSchema = z
  .record(z.string(), z.enum(AGENT_STATUSES))
  .transform((words) => new Map(Object.entries(words).map(([word, status]) => [word.trim().toLowerCase(), status])));

const agentsSchema = z
  .strictObject({ ...sourceShape, fields: z.strictObject(agentFieldsShape), statuses: statusesSchema.optional() })
  .superRefine(oneShape);
const swarmsSchema = z.strictObject({ ...sourceShape, fields: z.strictObject(swarmFieldsShape) }).superRefine(oneShape);
type Agents = z.output<typeof agentsSchema>;

const SOURCES_HINT = `expected 1 to ${MAX_SOURCES} sources`;
const agentsListSchema = z
  .array(agentsSchema)
  .min(1, { error: SOURCES_HINT })
  .max(MAX_SOURCES, { error: SOURCES_HINT });

/** Schema of the mapping of a server. */
export const mappingSchema = z
  .strictObject({
    agents: selectSchema<Agents | Agents[]>('agentSources', [agentsSchema, agentsListSchema], (value) =>
      Array.isArray(value) ? agentsListSchema : agentsSchema,
    ),
    swarms: swarmsSchema.optional(),
  })
  .transform(({ agents, swarms }): ServerMapping => {
    const location = 'mapping.agents';
    const sources = Array.isArray(agents)
      ? agents.map((source, index) => agentSource(source, `${location}.${index}`))
      : [agentSource(agents, location)];
    return { agents: sources, swarms: swarms === undefined ? null : swarmSource(swarms) };
  });

function agentSource({ fields, statuses, ...source }: Agents, place: string): AgentSource {
  return { ...entrySource(source, place), fields: definedFields(fields), statuses: statuses ?? new Map() };
}

function swarmSource({ fields, ...source }: z.output<typeof swarmsSchema>): SwarmSource {
  return { ...entrySource(source, 'mapping.swarms'), fields: definedFields(fields) };
}

function entrySource(source: Source, place: string): Omit<SwarmSource, 'fields'> {
  const shape = SHAPES.find((shape) => source[shape] !== undefined) ?? 'list';
  const path = source[shape] ?? { text: '', keys: [] };
  return { place, tool: source.tool, arguments: source.arguments ?? {}, shape, path };
}

/** Removes the fields that are not mapped. */
function definedFields<F extends { readonly id: FieldSource }>(
  fields: F,
): { readonly [K in keyof F]?: Exclude<F[K], undefined> } & { readonly id: FieldSource } {
  // The type removes undefined from each field, as the filter does.
  return Object.fromEntries(
    Object.entries<FieldSource | undefined>(fields).filter(([, field]) => field !== undefined),
  ) as {
    readonly [K in keyof F]?: Exclude<F[K], undefined>;
  } & { readonly id: FieldSource };
}

function oneShape(source: Source, context: z.RefinementCtx): void {
  if (SHAPES.filter((shape) => source[shape] !== undefined).length === 1) return;
  context.addIssue({
    code: 'custom',
    message: 'expected one of "list", "map" and "one" with the path to the entries in the tool response',
  });
}

/** Keys of a mapping, for hints at misspellings. */
export const MAPPING_KEYS: readonly string[] = [
  ...Object.keys(sourceShape),
  ...Object.keys(agentFieldsShape),
  ...Object.keys(swarmFieldsShape),
  ...['agents', 'swarms', 'fields', 'statuses', 'path', 'scale', 'value'],
];
