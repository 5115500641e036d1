import type { GraphiQLOptions } from 'graphql-yoga';
import { EXAMPLE_OPERATIONS, TRUSTED_DOCUMENTS_NOTICE } from './example-operations.js';

/** Initial text of the header editor if tokens are required. */
const HEADERS_WITH_TOKEN = '{\n  "Authorization": "Bearer your-token-here"\n}';

/**
 * Creates the options of GraphiQL. If tokens are required, subscriptions run over SSE, because the header editor applies to
 * HTTP only, and headers are not stored, because a stored token would outlive the page.
 * @param trustedOnly whether only trusted documents run; the editor then shows a notice instead of examples
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

/** Content security policy of GraphiQL, which contains everything it needs and loads nothing from other origins. */
export const GRAPHIQL_CONTENT_SECURITY_POLICY = [
  "default-src 'self' 'unsafe-inline' 'unsafe-eval' blob: data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Style that keeps tabs in place. In @graphql-yoga/render-graphiql 5.24 a focused tab jumps to the right end of the bar,
 * away from the pointer, so that most tabs cannot be selected.
 */
const KEEP_TABS_IN_PLACE = '.graphiql-tab { transform: none !important; }';

/** Rendered pages by their options. */
const pages = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

/**
 * Renders GraphiQL as one self-contained page of nine megabytes. The package is loaded on the first request and kept, so
 * that servers without GraphiQL users do not hold it in memory.
 */
export async function renderGraphiQL(options: GraphiQLOptions): Promise<Uint8Array<ArrayBuffer>> {
  const key = JSON.stringify([options.subscriptionsProtocol, options.title]);
  const page = pages.get(key) ?? render(options);
  pages.set(key, page);
  return page;
}

async function render(options: GraphiQLOptions): Promise<Uint8Array<ArrayBuffer>> {
  const graphiql = await import('@graphql-yoga/render-graphiql');
  const head = `<head><style>${KEEP_TABS_IN_PLACE}</style>`;
  return new Uint8Array(Buffer.from(graphiql.renderGraphiQL(options).replace('<head>', () => head)));
}
