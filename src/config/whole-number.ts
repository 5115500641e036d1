import { z } from 'zod';

export function wholeNumber(min: number, max: number, what = 'a whole number'): z.ZodNumber {
  const error = `expected ${what} from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}
