import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: 'schema.graphql',
  documents: 'packages/client/src/operations/*.graphql',
  generates: {
    'packages/client/src/generated/operations.ts': {
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
    'trusted-documents.json': { plugins: ['./scripts/codegen-manifest.js'] },
  },
};

export default config;
