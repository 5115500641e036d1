// A plugin of GraphQL Code Generator: the manifest for `trustedDocuments`, with the very texts that the typed client
// sends, each under its SHA-256. (`persistedDocuments` of the client preset prints them in a way of its own.)
import { createHash } from 'node:crypto';
import { print } from 'graphql';
import { fragmentsOf, sortedOut } from './codegen-operations.js';

export function plugin(_schema, documents) {
  const { fragments, operations } = sortedOut(documents);
  const texts = operations.map((operation) =>
    [operation, ...[...fragmentsOf(operation, fragments)].map((name) => fragments.get(name))].map(print).join('\n'),
  );
  const manifest = Object.fromEntries(texts.map((text) => [createHash('sha256').update(text).digest('hex'), text]));
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
