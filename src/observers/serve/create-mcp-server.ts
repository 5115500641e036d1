import { McpServer, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import { OBSERVER_RESOURCES, OBSERVER_SERVER_NAME_PREFIX, type ObservedSource } from '../../observer-format/index.js';
import { type Clock, sleep } from '../../shared/index.js';
import type { Observer } from '../observer.js';
import { MAX_READY_WAIT_MS, OBSERVER_TOOLS, ObserverToolError } from './list-tools.js';

export interface ObserverServerDeps {
  readonly observer: Observer;
  readonly source: ObservedSource;
  /** Version of swarmlens. */
  readonly version: string;
  readonly clock: Clock;
}

/** Most subscriptions of one client to resources. */
const MAX_SUBSCRIPTIONS = 64;

/**
 * Creates the MCP server of one connection or request. All of them share the observer.
 * @param subscribed URIs of the resources that the client subscribes to; changed by its requests
 */
export function createMcpServer(
  { observer, source, version, clock }: ObserverServerDeps,
  subscribed: Set<string>,
): McpServer {
  const mcp = new McpServer(
    { name: `${OBSERVER_SERVER_NAME_PREFIX}${source}`, version },
    { capabilities: { tools: {}, resources: { subscribe: true } } },
  );
  const { server } = mcp;
  const byName = new Map(OBSERVER_TOOLS.map((tool) => [tool.listed.name, tool]));
  const byUri = new Map<string, string>(Object.entries(OBSERVER_RESOURCES).map(([tool, uri]) => [uri, tool]));

  const callTool = async (name: string, args: unknown): Promise<string> => {
    const tool = byName.get(name);
    if (tool === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${name}`);
    await waitUntilReady(observer, clock);
    return JSON.stringify(tool.call(observer, source, args));
  };

  // `registerTool` validates arguments with texts of its own, and resources cannot be subscribed to with `registerResource`.
  server.setRequestHandler('tools/list', () => ({ tools: OBSERVER_TOOLS.map(({ listed }) => listed) }));
  server.setRequestHandler('tools/call', async ({ params }) => {
    try {
      return { content: [{ type: 'text', text: await callTool(params.name, params.arguments) }] };
    } catch (error) {
      if (!(error instanceof ObserverToolError)) throw error;
      return { content: [{ type: 'text', text: error.message }], isError: true };
    }
  });
  server.setRequestHandler('resources/list', () => ({
    resources: [...byUri].map(([uri, name]) => ({ uri, name, mimeType: 'application/json' })),
  }));
  server.setRequestHandler('resources/read', async ({ params: { uri } }) => {
    const tool = byUri.get(uri);
    if (tool === undefined) throw unknownResource(uri);
    return { contents: [{ uri, mimeType: 'application/json', text: await callTool(tool, {}) }] };
  });
  server.setRequestHandler('resources/subscribe', ({ params: { uri } }) => {
    if (!byUri.has(uri) || subscribed.size >= MAX_SUBSCRIPTIONS) throw unknownResource(uri);
    subscribed.add(uri);
    return {};
  });
  server.setRequestHandler('resources/unsubscribe', ({ params: { uri } }) => {
    subscribed.delete(uri);
    return {};
  });
  return mcp;
}

function unknownResource(uri: string): ProtocolError {
  const known = Object.values(OBSERVER_RESOURCES).join(', ');
  return new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown resource: ${uri}. Known resources: ${known}`);
}

/** Waits for the first reading, but not longer than a client would wait. */
async function waitUntilReady(observer: Observer, clock: Clock): Promise<void> {
  const waited = new AbortController();
  await Promise.race([observer.ready, sleep(clock, MAX_READY_WAIT_MS, waited.signal)]);
  waited.abort();
}
