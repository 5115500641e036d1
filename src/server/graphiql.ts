import type { GraphiQLOptions } from 'graphql-yoga';
import { GRAPHIQL_TABS } from './graphiql-tabs.js';

/** Its editor of headers, where a token goes, is for HTTP only: with tokens, subscriptions run over SSE. */
export function graphiqlOptions(withTokens: boolean): GraphiQLOptions {
  return {
    title: 'swarmlens',
    subscriptionsProtocol: withTokens ? 'SSE' : 'WS',
    defaultTabs: GRAPHIQL_TABS.map((query) => ({ query })),
  };
}

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

/** By protocol, the only option that differs. */
const pages = new Map<string | undefined, Promise<Uint8Array<ArrayBuffer>>>();

/**
 * GraphiQL as one page of nine megabytes, from the installed package. It is loaded when somebody asks for the first
 * time, which takes a moment, and kept from then on; a server whose GraphiQL nobody opens does not have it in memory.
 */
export async function renderGraphiQL(options: GraphiQLOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { subscriptionsProtocol } = options;
  const page = pages.get(subscriptionsProtocol) ?? render(options);
  pages.set(subscriptionsProtocol, page);
  return page;
}

async function render(options: GraphiQLOptions): Promise<Uint8Array<ArrayBuffer>> {
  const graphiql = await import('@graphql-yoga/render-graphiql');
  const policy = `<meta http-equiv="Content-Security-Policy" content="${CONTENT_SECURITY_POLICY}" />`;
  const head = `<head>${policy}<style>${KEEP_TABS_IN_PLACE}</style>`;
  return new Uint8Array(Buffer.from(graphiql.renderGraphiQL(options).replace('<head>', () => head)));
}
