import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { z } from 'zod';

/** Parameters by which a request names a document: `documentId` of GraphQL over HTTP, or Apollo's persisted queries. */
const documentParamsSchema = z.object({
  query: z.string().nullish(),
  documentId: z.string().nullish(),
  extensions: z.object({ persistedQuery: z.object({ sha256Hash: z.string() }).nullish() }).nullish(),
});

/** Manifest of the documents that may run. */
export class TrustedDocuments {
  readonly #textByHash: ReadonlyMap<string, string>;
  readonly #texts: ReadonlySet<string>;

  /** @param textByHash texts by their SHA-256 in lower-case hex */
  constructor(textByHash: ReadonlyMap<string, string>) {
    this.#textByHash = textByHash;
    this.#texts = new Set(textByHash.values());
  }

  /**
   * Returns the document that a request names, or null if the request contains a text or names no document.
   * @throws GraphQLError FORBIDDEN if the named document is not in the manifest
   */
  lookup(params: unknown): string | null {
    const { query, documentId, extensions } = documentParamsSchema.safeParse(params).data ?? {};
    const hash = documentId ?? extensions?.persistedQuery?.sha256Hash;
    if (hash == null || (query != null && query !== '')) return null;
    return this.#textByHash.get(hash.replace(/^sha256:/, '')) ?? reject();
  }

  /** @throws GraphQLError FORBIDDEN if the text is not in the manifest */
  check(text: string): void {
    if (!this.#texts.has(text)) reject();
  }
}

/**
 * Rejects documents that are not in the manifest before they are parsed, over HTTP, SSE and WebSocket. The WebSocket
 * server calls `lookup` itself, because it has no `onParams`.
 */
export function useTrustedDocuments(trusted: TrustedDocuments | null): Plugin {
  return {
    onParams({ params, setParams }) {
      const query = trusted?.lookup(params) ?? params.query;
      if (query == null) {
        const hint = trusted === null ? 'This server knows no documents by "documentId".' : 'Or send "documentId".';
        throw new GraphQLError(`Missing "query". ${hint}`, { extensions: { code: 'BAD_USER_INPUT' } });
      }
      setParams({ ...params, query });
    },
    onParse({ params: { source } }) {
      trusted?.check(String(source));
    },
  };
}

function reject(): never {
  throw new GraphQLError(
    'Unknown document. This server runs trusted documents only: send a document of its manifest, by its SHA-256 or as the same text.',
    { extensions: { code: 'FORBIDDEN' } },
  );
}
