import { isRecord } from './rpc-message.js';
import type { InjectedRequest } from './injected-calls.js';

const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';
const CLIENT_KEY = 'io.modelcontextprotocol/clientInfo';
const CAPABILITIES_KEY = 'io.modelcontextprotocol/clientCapabilities';
const SERVER_KEY = 'io.modelcontextprotocol/serverInfo';
/** Version with which the tap answers `initialize` of swarmlens. */
const INITIALIZE_VERSION = '2025-11-25';

/** Returns the protocol version that a request names. Null before MCP 2026-07-28. */
export function readVersion(params: unknown): string | null {
  const meta = isRecord(params) ? params['_meta'] : undefined;
  const version = isRecord(meta) ? meta[VERSION_KEY] : undefined;
  return typeof version === 'string' ? version : null;
}

/**
 * Describes a server without `initialize` as if it had answered it.
 * @param result answer to any request
 */
export function toInitializeResult(result: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const meta = result['_meta'];
  const server = isRecord(meta) ? meta[SERVER_KEY] : undefined;
  return {
    protocolVersion: INITIALIZE_VERSION,
    // Other answers than that to `server/discover` contain no capabilities.
    capabilities: isRecord(result['capabilities']) ? result['capabilities'] : { tools: {} },
    serverInfo: isRecord(server) ? server : { name: 'unknown', version: '' },
  };
}

/** Converts a request of swarmlens, which knows `initialize`, to the version of the session. */
export function toModern({ method, params }: InjectedRequest, version: string): InjectedRequest {
  const own = isRecord(params) ? params : {};
  const meta = {
    ...(isRecord(own['_meta']) ? own['_meta'] : {}),
    [VERSION_KEY]: version,
    [CLIENT_KEY]: { name: 'swarmlens', version: '1' },
    [CAPABILITIES_KEY]: {},
  };
  // MCP has no `ping` since 2026-07-28.
  return { method: method === 'ping' ? 'server/discover' : method, params: { ...own, _meta: meta } };
}
