import { z } from 'zod';

interface Documentation {
  readonly name: string;
  readonly schemas: readonly z.ZodType[];
}

/** Documentation of schemas whose input type zod does not know, because code chooses how to parse the value. */
const documentation = new WeakMap<object, Documentation>();

/** Documents that `schema` accepts what one of `schemas` accepts, as a definition with a name. */
export function documentedAs<T extends z.ZodType>(schema: T, name: string, schemas: readonly z.ZodType[]): T {
  documentation.set(schema, { name, schemas });
  return schema;
}

/** Returns the JSON Schema (draft 7) of what a zod schema accepts, with descriptions and defaults. */
export function toJsonSchema(schema: z.ZodType): z.core.JSONSchema.BaseSchema {
  const definitions: Record<string, z.core.JSONSchema.BaseSchema> = {};
  const convert = (part: z.ZodType): z.core.JSONSchema.BaseSchema => {
    const { $schema: _version, ...jsonSchema } = z.toJSONSchema(part, {
      // Editors support draft 7 best.
      target: 'draft-7',
      io: 'input',
      unrepresentable: 'any',
      override({ zodSchema, jsonSchema: result }) {
        // Text may contain `${VAR}`, which is not a URL before it is expanded.
        delete result.format;
        const documented = documentation.get(zodSchema);
        if (documented === undefined) return;
        const { name, schemas } = documented;
        // Draft 7 ignores what stands beside a `$ref`, such as a description.
        result.allOf = [{ $ref: `#/definitions/${name}` }];
        definitions[name] ??= { anyOf: schemas.map(convert) };
      },
    });
    return jsonSchema;
  };
  const root = convert(schema);
  return { $schema: 'http://json-schema.org/draft-07/schema#', ...root, definitions };
}
