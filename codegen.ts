import { readFileSync } from 'node:fs';
import type { CodegenConfig } from '@graphql-codegen/cli';
import { buildSchema, getNamedType, type GraphQLOutputType, isObjectType } from 'graphql';

const GENERATED = 'packages/client/src/generated';

/**
 * Selects every field, so that an agent made of patches equals the agent of a query. Omits links to other items, which are
 * the objects with an id.
 */
function selectAllFields(type: GraphQLOutputType): string {
  const named = getNamedType(type);
  if (!isObjectType(named)) return '';
  const fields = Object.values(named.getFields()).filter((field) => !isLink(field.type));
  return `{ ${fields.map((field) => `${field.name} ${selectAllFields(field.type)}`).join(' ')} }`;
}

function isLink(type: GraphQLOutputType): boolean {
  const named = getNamedType(type);
  return isObjectType(named) && named.getFields()['id'] !== undefined;
}

const agent = buildSchema(readFileSync(new URL('schema.graphql', import.meta.url), 'utf8')).getType('Agent');
if (!isObjectType(agent)) throw new Error('schema.graphql has no object type Agent');

const config: CodegenConfig = {
  schema: 'schema.graphql',
  documents: ['packages/client/src/operations/*.graphql', `fragment Agent on Agent ${selectAllFields(agent)}`],
  generates: {
    [`${GENERATED}/operations.ts`]: {
      plugins: ['typescript', 'typescript-operations', './scripts/codegen-documents.js'],
      config: {
        scalars: { ID: 'string', DateTime: 'string', JSON: 'unknown' },
        strictScalars: true,
        enumsAsTypes: true,
        immutableTypes: true,
        avoidOptionals: { field: true },
        arrayInputCoercion: false,
        useTypeImports: true,
        onlyOperationTypes: true,
        skipTypename: true,
        inlineFragmentTypes: 'combine',
        emitLegacyCommonJSImports: false,
      },
    },
    [`${GENERATED}/agent-nulls.ts`]: { plugins: ['./scripts/codegen-agent-nulls.js'] },
    'trusted-documents.json': { plugins: ['./scripts/codegen-manifest.js'] },
  },
};

export default config;
