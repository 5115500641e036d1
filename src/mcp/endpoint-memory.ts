/** Kind of protocol revision: MODERN from 2026-07-28 on, LEGACY for the revisions with an `initialize` handshake. */
export type ProtocolEra = 'MODERN' | 'LEGACY';

/** Findings of earlier connection attempts to one endpoint. The next attempts use them instead of probing again. */
export class EndpointMemory {
  /** Era of the server. Null if it is unknown. */
  era: ProtocolEra | null = null;
  /** Transport that the server supports at an `http` or `sse` endpoint. Null if it is that of the endpoint or unknown. */
  httpType: 'http' | 'sse' | null = null;
}
