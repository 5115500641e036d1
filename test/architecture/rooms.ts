import { readFileSync } from 'node:fs';
import { z } from 'zod';

const schema = z.object({
  imports: z.record(z.string(), z.array(z.string())),
  typeImports: z.record(z.string(), z.array(z.string())),
  order: z.record(z.string(), z.array(z.array(z.string()))),
});

/** Table of allowed imports that `.dependency-cruiser.mjs` enforces. */
export const ROOMS = schema.parse(JSON.parse(readFileSync(new URL('rooms.json', import.meta.url), 'utf8')));
