import type { GraphiQLOptions } from 'graphql-yoga';
import { EXAMPLE_OPERATIONS, TRUSTED_DOCUMENTS_NOTICE } from './example-operations.js';

/** What the editor of headers opens with where a token is needed. */
const HEADERS_WITH_TOKEN = '{\n  "Authorization": "Bearer your-token-here"\n}';

/**
 * Its editor of headers, where a token goes, is for HTTP only: with tokens, subscriptions run over SSE. They are not kept
 * in the browser's storage, as a token outlives the page there. An operation comes from elsewhere with `?query=`.
 * @param trustedOnly only documents of a list are run: there is nothing to try out
 */
export function createGraphiQLOptions(withTokens: boolean, trustedOnly: boolean): GraphiQLOptions {
  return {
    title: trustedOnly ? TRUSTED_ONLY_TITLE : 'swarmlens',
    subscriptionsProtocol: withTokens ? 'SSE' : 'WS',
    ...(withTokens && { headers: HEADERS_WITH_TOKEN, shouldPersistHeaders: false }),
    defaultTabs: (trustedOnly ? [TRUSTED_DOCUMENTS_NOTICE] : EXAMPLE_OPERATIONS).map((query) => ({ query })),
  };
}

const TRUSTED_ONLY_TITLE = 'swarmlens (trusted documents only)';

/** Everything is in the page itself; whatever it should ever want from elsewhere, it does not get. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self' 'unsafe-inline' 'unsafe-eval' blob: data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/**
 * In @graphql-yoga/render-graphiql 5.24 a tab that gets the focus jumps to the right end of the bar, from under the
 * pointer before the click gets there: of many tabs, most cannot be chosen.
 */
const KEEP_TABS_IN_PLACE = '.graphiql-tab { transform: none !important; }';

/** By the options, of which there are few. */
const pages = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

/**
 * GraphiQL as one page of nine megabytes, from the installed package. It is loaded when somebody asks for the first
 * time, which takes a moment, and kept from then on; a server whose GraphiQL nobody opens does not have it in memory.
 */
export async function renderGraphiQL(options: GraphiQLOptions): Promise<Uint8Array<ArrayBuffer>> {
  const key = JSON.stringify([options.subscriptionsProtocol, options.title]);
  const page = pages.get(key) ?? render(options);
  pages.set(key, page);
  return page;
}

async function render(options: GraphiQLOptions): Promise<Uint8Array<ArrayBuffer>> {
  const graphiql = await import('@graphql-yoga/render-graphiql');
  const policy = `<meta http-equiv="Content-Security-Policy" content="${CONTENT_SECURITY_POLICY}" />`;
  const head = `<head>${policy}<style>${KEEP_TABS_IN_PLACE}</style>`;
  return new Uint8Array(Buffer.from(graphiql.renderGraphiQL(options).replace('<head>', () => head)));
}
