import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { z } from 'zod';

/** How a client names a document: as GraphQL over HTTP has it, or as Apollo's persisted queries do. */
const NAMED = z.object({
  query: z.string().nullish(),
  documentId: z.string().nullish(),
  extensions: z.object({ persistedQuery: z.object({ sha256Hash: z.string() }).nullish() }).nullish(),
});

/** The only documents that are run. */
export class TrustedDocuments {
  readonly #texts: ReadonlyMap<string, string>;
  readonly #known: ReadonlySet<string>;

  /** @param texts by SHA-256 of each, in lower-case hex */
  constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = texts;
    this.#known = new Set(texts.values());
  }

  /**
   * The document that a request names; `null` when it brings a text of its own, or names none.
   * @throws GraphQLError FORBIDDEN when there is none of that name
   */
  lookup(params: unknown): string | null {
    const { query, documentId, extensions } = NAMED.safeParse(params).data ?? {};
    const name = documentId ?? extensions?.persistedQuery?.sha256Hash;
    if (name == null || (query != null && query !== '')) return null;
    return this.#texts.get(name.replace(/^sha256:/, '')) ?? refuse();
  }

  /** @throws GraphQLError FORBIDDEN when the text is none of them */
  check(text: string): void {
    if (!this.#known.has(text)) refuse();
  }
}

/**
 * Parsing is where every operation comes by, over HTTP, SSE and WebSocket alike, and before anything is spent on it. A
 * WebSocket, which has no `onParams`, asks `named` by itself.
 */
export function useTrustedDocuments(trusted: TrustedDocuments | null): Plugin {
  if (trusted === null) return {};
  return {
    onParams({ params, setParams }) {
      const query = trusted.lookup(params);
      if (query !== null) setParams({ ...params, query });
    },
    onParse({ params: { source } }) {
      trusted.check(String(source));
    },
  };
}

function refuse(): never {
  throw new GraphQLError(
    'This server runs trusted documents only, and this is none of them: send one that its manifest has, by its SHA-256 or as the very same text.',
    { extensions: { code: 'FORBIDDEN' } },
  );
}
