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
import { expectedMessage, didYouMean } from './issues.js';

const PATH_HINT = 'expected a path: names joined by dots ("result.agents"), a JSON Pointer ("/result/agents"), or ""';
const FIELD_HINT = `${PATH_HINT}, "$key", {"path": …, "scale": …} or {"value": …}`;
const SHAPES = ['list', 'map', 'one'] as const;
const MAX_SOURCES = 16;

/** The schema is chosen by the value's own kind, so that a mistake is told of that one and not of a union of several. */
function chosen<T>(choose: (value: unknown) => z.ZodType<T>) {
  return z.unknown().transform((value, context): T => {
    const result = choose(value).safeParse(value, { error: expectedMessage });
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      const { path, message } = issue;
      if (issue.code !== 'unrecognized_keys') context.issues.push({ code: 'custom', path, message, input: value });
      // As an issue of its own kind it would not keep what comes next from going on without a value.
      else {
        for (const key of issue.keys) {
          const unknown = `there is no such option${didYouMean(key, MAPPING_KEYS)}`;
          context.issues.push({ code: 'custom', path: [...path, key], message: unknown, input: value });
        }
      }
    }
    return z.NEVER;
  });
}

const PATH = z.string({ error: PATH_HINT }).transform((text, context): ValuePath => {
  const keys = text.startsWith('/') ? pointerKeys(text) : dottedKeys(text);
  if (keys !== null) return { text, keys };
  context.issues.push({ code: 'custom', message: PATH_HINT, input: text });
  return z.NEVER;
});

/** RFC 6901; `null` when it is none. */
function pointerKeys(text: string): string[] | null {
  const keys = text.slice(1).split('/');
  if (keys.some((key) => /~(?![01])/.test(key))) return null;
  return keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** What looks like JSONPath is a slip: `$` and brackets can be written as a pointer where they are meant. */
function dottedKeys(text: string): string[] | null {
  if (text === '') return [];
  const keys = text.split('.');
  return keys.some((key) => key === '' || /[[\]$*]/.test(key)) ? null : keys;
}

const KEY = z.literal('$key').transform((): FieldSource => ({ from: 'key' }));
const PLAIN = PATH.transform((path): FieldSource => ({ from: 'path', path, scale: 1 }));
const SCALED = z
  .strictObject({ path: PATH, scale: z.number().optional() })
  .transform(({ path, scale = 1 }): FieldSource => ({ from: 'path', path, scale }));
const VALUE_HINT = 'expected text, a number, true, false or a list of texts';
const CONSTANT = z
  .strictObject({
    value: z.union([z.string(), z.number(), z.boolean(), z.array(z.string())], { error: VALUE_HINT }),
  })
  .transform(({ value }): FieldSource => ({ from: 'value', value }));

const FIELD = chosen<FieldSource>((value) => {
  if (value === '$key') return KEY;
  if (typeof value === 'string') return PLAIN;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return NO_FIELD;
  return 'value' in value ? CONSTANT : SCALED;
});
const NO_FIELD = z.never({ error: FIELD_HINT });

const AGENT_FIELDS = {
  id: FIELD,
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

const SWARM_FIELDS = {
  id: FIELD,
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

/** @param names a record and not a list, so that the compiler misses the one that is forgotten */
function optionalFields<F extends string>(names: Readonly<Record<F, true>>): Record<F, z.ZodOptional<typeof FIELD>> {
  // Each name that the type asks for is a key of the argument.
  return Object.fromEntries(Object.keys(names).map((name) => [name, FIELD.optional()])) as Record<
    F,
    z.ZodOptional<typeof FIELD>
  >;
}

const SOURCE = {
  tool: z.string().min(1),
  arguments: z.record(z.string(), z.unknown()).optional(),
  list: PATH.optional(),
  map: PATH.optional(),
  one: PATH.optional(),
};

type Source = z.output<z.ZodObject<typeof SOURCE>>;

const STATUSES = z
  .record(z.string(), z.enum(AGENT_STATUSES))
  .transform((words) => new Map(Object.entries(words).map(([word, status]) => [word.trim().toLowerCase(), status])));

const AGENTS = z
  .strictObject({ ...SOURCE, fields: z.strictObject(AGENT_FIELDS), statuses: STATUSES.optional() })
  .superRefine(oneShape);
const SWARMS = z.strictObject({ ...SOURCE, fields: z.strictObject(SWARM_FIELDS) }).superRefine(oneShape);
type Agents = z.output<typeof AGENTS>;

const SOURCES_HINT = `expected 1 to ${MAX_SOURCES} sources`;
const AGENTS_LIST = z.array(AGENTS).min(1, { error: SOURCES_HINT }).max(MAX_SOURCES, { error: SOURCES_HINT });

/** How a server that nobody here knows is read. */
export const mappingSchema = z
  .strictObject({
    agents: chosen<Agents | Agents[]>((value) => (Array.isArray(value) ? AGENTS_LIST : AGENTS)),
    swarms: SWARMS.optional(),
  })
  .transform(({ agents, swarms }): ServerMapping => {
    const place = 'mapping.agents';
    const sources = Array.isArray(agents)
      ? agents.map((one, index) => agentSource(one, `${place}.${index}`))
      : [agentSource(agents, place)];
    return { agents: sources, swarms: swarms === undefined ? null : swarmSource(swarms) };
  });

function agentSource({ fields, statuses, ...source }: Agents, place: string): AgentSource {
  return { ...entrySource(source, place), fields: given(fields), statuses: statuses ?? new Map() };
}

function swarmSource({ fields, ...source }: z.output<typeof SWARMS>): SwarmSource {
  return { ...entrySource(source, 'mapping.swarms'), fields: given(fields) };
}

function entrySource(source: Source, place: string): Omit<SwarmSource, 'fields'> {
  const shape = SHAPES.find((one) => source[one] !== undefined) ?? 'list';
  const path = source[shape] ?? { text: '', keys: [] };
  return { place, tool: source.tool, arguments: source.arguments ?? {}, shape, path };
}

/** Without the fields that are not mapped. */
function given<F extends { readonly id: FieldSource }>(
  fields: F,
): { readonly [K in keyof F]?: Exclude<F[K], undefined> } & { readonly id: FieldSource } {
  // Only what is undefined has been taken out.
  return Object.fromEntries(
    Object.entries<FieldSource | undefined>(fields).filter(([, field]) => field !== undefined),
  ) as {
    readonly [K in keyof F]?: Exclude<F[K], undefined>;
  } & { readonly id: FieldSource };
}

function oneShape(source: Source, context: z.RefinementCtx): void {
  if (SHAPES.filter((one) => source[one] !== undefined).length === 1) return;
  context.addIssue({
    code: 'custom',
    message: 'expected one of "list", "map" and "one", the path to the entries in the tool\'s answer',
  });
}

/** For the hint at an unknown option. */
export const MAPPING_KEYS: readonly string[] = [
  ...Object.keys(SOURCE),
  ...Object.keys(AGENT_FIELDS),
  ...Object.keys(SWARM_FIELDS),
  ...['agents', 'swarms', 'fields', 'statuses', 'path', 'scale', 'value'],
];
