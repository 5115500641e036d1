import { z } from 'zod';

export function wholeNumberSchema(min: number, max: number, what = 'a whole number'): z.ZodNumber {
  const error = `expected ${what} from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}
