import { z } from 'zod';
import type { FieldSource } from '../../adapters/index.js';
import { compilePattern, PatternError } from '../../shared/patterns/index.js';
import { parseEntryPath, parseTemplate, PATH_HINT, TEMPLATE_HINT } from './paths.js';
import { isTableValue, selectSchema } from './select-schema.js';

const MAX_ALTERNATIVES = 8;
const FIELD_HINT = `${PATH_HINT}, "$key", {"path": …}, {"template": …}, {"value": …}, or a list of alternatives`;
const VALUE_HINT = 'expected text, a number, true, false or a list of texts';
const ALTERNATIVES_HINT = `expected 1 to ${MAX_ALTERNATIVES} alternatives`;

/** Schema of a regular expression. */
export const patternSchema = z.string().transform((pattern, context): string => {
  try {
    compilePattern(pattern);
    return pattern;
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    context.issues.push({ code: 'custom', message: error.message, input: pattern });
    return z.NEVER;
  }
});

const pathFieldSchema = z.string({ error: PATH_HINT }).transform((text, context): FieldSource => {
  const source = parseEntryPath(text);
  if (source !== null) return source;
  context.issues.push({ code: 'custom', message: PATH_HINT, input: text });
  return z.NEVER;
});

const detailedPathSchema = z
  .strictObject({
    path: pathFieldSchema,
    scale: z.number().optional(),
    pattern: patternSchema.optional(),
    all: z.boolean().optional(),
  })
  .transform(({ path: source, scale = 1, pattern, all = false }, context): FieldSource => {
    if (all && pattern === undefined)
      context.addIssue({ code: 'custom', path: ['all'], message: 'only allowed beside "pattern"' });
    if (source.from !== 'path') return source;
    return { ...source, scale, ...(pattern === undefined ? {} : { pattern, hasAllMatches: all }) };
  });

const constantSchema = z
  .strictObject({
    value: z.union([z.string(), z.number(), z.boolean(), z.array(z.string())], { error: VALUE_HINT }),
  })
  .transform(({ value }): FieldSource => ({ from: 'value', value }));

const templateSchema = z
  .strictObject({
    template: z.string({ error: TEMPLATE_HINT }).transform((text, context): FieldSource => {
      const template = parseTemplate(text);
      if (template !== null) return { from: 'template', template };
      context.issues.push({ code: 'custom', message: TEMPLATE_HINT, input: text });
      return z.NEVER;
    }),
  })
  .transform(({ template }) => template);

const noFieldSchema = z.never({ error: FIELD_HINT });

const SINGLE_SCHEMAS = [pathFieldSchema, detailedPathSchema, templateSchema, constantSchema];

function selectSingle(value: unknown): z.ZodType<FieldSource> {
  if (typeof value === 'string') return pathFieldSchema;
  if (!isTableValue(value)) return noFieldSchema;
  if ('value' in value) return constantSchema;
  return 'template' in value ? templateSchema : detailedPathSchema;
}

const singleFieldSchema = selectSchema<FieldSource>('fieldValue', SINGLE_SCHEMAS, selectSingle);

const alternativesSchema = z
  .array(singleFieldSchema)
  .min(1, { error: ALTERNATIVES_HINT })
  .max(MAX_ALTERNATIVES, { error: ALTERNATIVES_HINT })
  .transform((sources): FieldSource => ({ from: 'first', sources }));

/** Schema of the source of a field. */
export const fieldSchema = selectSchema<FieldSource>('fieldSource', [...SINGLE_SCHEMAS, alternativesSchema], (value) =>
  Array.isArray(value) && value.length > 0 ? alternativesSchema : selectSingle(value),
);
