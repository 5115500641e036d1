import { z } from 'zod';

/** JSON Schema of a part of the configuration. */
export type JsonSchema = Omit<z.core.JSONSchema.BaseSchema, '$schema'>;

/** Documentation of schemas whose input type zod does not know, because code chooses how to parse the value. */
const alternatives = new WeakMap<object, readonly z.ZodType[]>();

/** Documents that `schema` accepts what one of `schemas` accepts. */
export function documentedAs<T extends z.ZodType>(schema: T, ...schemas: readonly z.ZodType[]): T {
  alternatives.set(schema, schemas);
  return schema;
}

/** Returns the JSON Schema of what a zod schema accepts, with descriptions and defaults. */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  const { $schema: _version, ...jsonSchema } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema: part }) {
      // Text may contain `${VAR}`, which is not a URL before it is expanded.
      delete part.format;
      const documented = alternatives.get(zodSchema)?.map(toJsonSchema) ?? [];
      if (documented.length === 1) Object.assign(part, { ...documented[0], ...part });
      else if (documented.length > 1) Object.assign(part, { anyOf: documented });
    },
  });
  return jsonSchema;
}
