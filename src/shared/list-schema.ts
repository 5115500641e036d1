import { z } from 'zod';

/**
 * Schema of a list. Unlike `z.array`, it reports the first invalid item only: a list of 100,000 invalid items makes `z.array` overflow
 * the stack.
 */
export function listOf<T>(item: z.ZodType<T>): z.ZodType<T[]> {
  return z.array(z.unknown()).transform((values, context): T[] => {
    const items: T[] = [];
    for (const [index, value] of values.entries()) {
      const { success, data, error } = item.safeParse(value);
      if (!success) {
        const message = error.issues[0]?.message ?? 'Invalid item';
        context.issues.push({ code: 'custom', message, input: value, path: [index] });
        return z.NEVER;
      }
      items.push(data);
    }
    return items;
  });
}

/** Schema of a list of texts, which may be long. Reports one issue at most. */
export const textListSchema = z.custom<string[]>(
  (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  { error: 'Expected a list of texts' },
);
