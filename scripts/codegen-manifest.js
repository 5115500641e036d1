// Plugin of GraphQL Code Generator. Writes the manifest for `trustedDocuments`: the exact texts that the typed client sends,
// each under its SHA-256. (`persistedDocuments` of the client preset prints the texts differently.)
import { createHash } from 'node:crypto';
import { print } from 'graphql';
import { collectDefinitions, listUsedFragments } from './codegen-operations.js';

export function plugin(_schema, documents) {
  const { fragments, operations } = collectDefinitions(documents);
  const texts = operations.map((operation) =>
    [operation, ...[...listUsedFragments(operation, fragments)].map((name) => fragments.get(name))]
      .map(print)
      .join('\n'),
  );
  const manifest = Object.fromEntries(texts.map((text) => [createHash('sha256').update(text).digest('hex'), text]));
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
