import { z } from 'zod';
import { didYouMean, expectedMessage } from '../issues.js';
import { documentedAs } from '../json-schema.js';
import { MAPPING_KEYS } from './keys.js';

/**
 * Creates a schema that selects one of several schemas by the kind of the value. Unlike a union, it reports a mistake
 * for the selected schema only.
 */
export function selectSchema<T>(
  name: string,
  schemas: readonly z.ZodType<T>[],
  select: (value: unknown) => z.ZodType<T>,
): z.ZodType<T> {
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

/** Returns whether a value is an object, and neither a list nor null. */
export function isTableValue(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
