import { z } from 'zod';
import type { Condition, EmptyRule } from '../../adapters/index.js';
import { patternSchema } from './fields.js';
import { parseEntryPath, PATH_HINT } from './paths.js';
import { isTableValue, selectSchema } from './select-schema.js';

const MAX_CONDITIONS = 16;
const MAX_VALUES = 100;
const CONDITION_HINT =
  'expected text, a number, true, false, a list of these, {"exists": true}, {"exists": false} or {"not": …}';
const WHERE_HINT = `expected an object of 1 to ${MAX_CONDITIONS} conditions by path`;
const VALUES_HINT = `expected 1 to ${MAX_VALUES} texts, numbers, true or false`;
const EMPTY_HINT = 'expected a text, {"pattern": …}, {"where": …}, or a list of these';

type Test = Pick<Condition, 'values' | 'isNegated'>;

const scalarSchema = z
  .union([z.string(), z.number(), z.boolean()], { error: CONDITION_HINT })
  .transform((value): Test => ({ values: new Set([String(value)]), isNegated: false }));
const valuesSchema = z
  .array(z.union([z.string(), z.number(), z.boolean()], { error: VALUES_HINT }))
  .min(1, { error: VALUES_HINT })
  .max(MAX_VALUES, { error: VALUES_HINT })
  .transform((values): Test => ({ values: new Set(values.map(String)), isNegated: false }));
const existsSchema = z
  .strictObject({ exists: z.boolean() })
  .transform(({ exists }): Test => ({ values: null, isNegated: !exists }));
const notSchema = z
  .strictObject({
    not: selectSchema<Test>('conditionValues', [scalarSchema, valuesSchema], (value) =>
      Array.isArray(value) ? valuesSchema : scalarSchema,
    ),
  })
  .transform(({ not }): Test => ({ ...not, isNegated: true }));

const testSchema = selectSchema<Test>('condition', [scalarSchema, valuesSchema, existsSchema, notSchema], (value) => {
  if (Array.isArray(value)) return valuesSchema;
  if (!isTableValue(value)) return scalarSchema;
  return 'not' in value ? notSchema : existsSchema;
});

/** Schema of the conditions that entries must meet. */
export const whereSchema = z.record(z.string(), testSchema, { error: WHERE_HINT }).transform((tests, context) => {
  const entries = Object.entries(tests);
  if (entries.length === 0 || entries.length > MAX_CONDITIONS)
    context.issues.push({ code: 'custom', message: WHERE_HINT, input: tests });
  return entries.flatMap(([text, test]): Condition[] => {
    const field = parseEntryPath(text);
    if (field !== null) return [{ field, ...test }];
    context.issues.push({ code: 'custom', path: [text], message: `${PATH_HINT} as the key`, input: tests });
    return [];
  });
});

const MAX_EMPTY_RULES = 16;
const EMPTY_RULES_HINT = `expected 1 to ${MAX_EMPTY_RULES} rules`;

const emptyTextSchema = z
  .string({ error: EMPTY_HINT })
  .min(1)
  .max(1_000)
  .transform((text): EmptyRule => ({ kind: 'text', text }));
const emptyPatternSchema = z
  .strictObject({ pattern: patternSchema })
  .transform(({ pattern }): EmptyRule => ({ kind: 'pattern', pattern }));
const emptyWhereSchema = z
  .strictObject({ where: whereSchema })
  .transform(({ where }): EmptyRule => ({ kind: 'where', where }));
const EMPTY_SCHEMAS = [emptyTextSchema, emptyPatternSchema, emptyWhereSchema];

const emptyRuleSchema = selectSchema<EmptyRule>('emptyRule', EMPTY_SCHEMAS, (value) => {
  if (!isTableValue(value)) return emptyTextSchema;
  return 'where' in value ? emptyWhereSchema : emptyPatternSchema;
});
const emptyRulesSchema = z
  .array(emptyRuleSchema)
  .min(1, { error: EMPTY_RULES_HINT })
  .max(MAX_EMPTY_RULES, { error: EMPTY_RULES_HINT });

/** Schema of the answers that mean that there are no entries. */
export const emptySchema = selectSchema<readonly EmptyRule[]>(
  'emptyRules',
  [emptyRuleSchema.transform((rule) => [rule]), emptyRulesSchema],
  (value) => (Array.isArray(value) ? emptyRulesSchema : emptyRuleSchema.transform((rule) => [rule])),
);
