import type { Clock } from '../shared/index.js';
import { isRecord, type RpcId, type RpcMessage } from './rpc-message.js';
import { readVersion, toInitializeResult } from './modern-protocol.js';

/** Time after which an unanswered request is forgotten. */
const REQUEST_EXPIRY_MS = 600_000;
/** Most open requests that are tracked. */
const MAX_REQUESTS = 10_000;
/** Largest total size of the arguments of open calls. */
const MAX_ARGUMENT_BYTES = 10 * 1024 * 1024;

/** Answered tool call of the MCP client. */
export interface ObservedToolCall {
  readonly tool: string;
  readonly arguments: unknown;
  /** Undefined if the call failed. */
  readonly result: unknown;
  /** Undefined if the call succeeded. */
  readonly error: unknown;
}

interface PendingRequest {
  readonly method: string;
  /** Protocol version that the request names. Null before MCP 2026-07-28. */
  readonly version: string | null;
  readonly sinceMs: number;
  readonly call: { readonly tool: string; readonly arguments: unknown } | null;
  readonly bytes: number;
}

export interface SessionTrackerEvents {
  readonly onCall: (call: ObservedToolCall) => void;
  readonly onToolsChanged: () => void;
  /** Called when the server has answered `initialize`, or the first request of MCP 2026-07-28. */
  readonly onInitialized: () => void;
}

/** Follows the session between MCP client and server: handshake, open requests and tool calls. */
export class SessionTracker {
  readonly #clock: Clock;
  readonly #events: SessionTrackerEvents;
  readonly #requests = new Map<string, PendingRequest>();
  #argumentBytes = 0;
  #initializeResult: Record<string, unknown> | null = null;
  #version: string | null = null;
  #isReady = false;

  constructor(clock: Clock, events: SessionTrackerEvents) {
    this.#clock = clock;
    this.#events = events;
  }

  /** Result of `initialize`, or an equal description of a server without `initialize`. Null before the handshake. */
  get initializeResult(): Readonly<Record<string, unknown>> | null {
    return this.#initializeResult;
  }

  /** Protocol version that each request of the session names. Null before MCP 2026-07-28. */
  get version(): string | null {
    return this.#version;
  }

  /** Whether the handshake is complete, so that the server accepts requests. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Whether the MCP client has no open request. */
  get isIdle(): boolean {
    const sinceMs = this.#clock.monotonic() - REQUEST_EXPIRY_MS;
    for (const [key, request] of this.#requests) {
      if (request.sinceMs > sinceMs) break;
      this.#remove(key, request);
    }
    return this.#requests.size === 0;
  }

  /**
   * Records a message of the MCP client.
   * @param bytes size of its line
   */
  fromClient({ id, method, params }: RpcMessage, bytes: number): void {
    if (method === undefined) return;
    if (id === undefined) {
      if (method === 'notifications/cancelled' && isRecord(params)) this.#cancel(params['requestId']);
      if (method === 'notifications/initialized' && this.#initializeResult !== null) this.#isReady = true;
      return;
    }
    // A subscription stays open as long as the client listens, and occupies nothing.
    if (method === 'subscriptions/listen') return;
    if (method !== 'initialize' && this.#initializeResult !== null) this.#isReady = true;
    const key = toKey(id);
    const previous = this.#requests.get(key);
    if (previous !== undefined) this.#remove(key, previous);
    if (this.#requests.size >= MAX_REQUESTS) return;
    const hasRoom = this.#argumentBytes + bytes <= MAX_ARGUMENT_BYTES;
    const call = method === 'tools/call' && hasRoom ? parseToolCall(params) : null;
    const request = {
      method,
      version: readVersion(params),
      sinceMs: this.#clock.monotonic(),
      call,
      bytes: call === null ? 0 : bytes,
    };
    this.#requests.set(key, request);
    this.#argumentBytes += request.bytes;
  }

  /** Records a message of the server. */
  fromServer({ id, method, result, error }: RpcMessage): void {
    if (method !== undefined) {
      if (method === 'notifications/tools/list_changed') this.#events.onToolsChanged();
      return;
    }
    if (id === undefined) return;
    const key = toKey(id);
    const request = this.#requests.get(key);
    if (request === undefined) return;
    this.#remove(key, request);
    if (isRecord(result)) this.#handshake(request, result);
    // The client sends the call again with what the server asks for.
    const isIncomplete = isRecord(result) && result['resultType'] === 'input_required';
    if (request.call !== null && !isIncomplete) this.#events.onCall({ ...request.call, result, error });
  }

  /** Learns from a successful response which protocol version the session uses. */
  #handshake({ method, version }: PendingRequest, result: Record<string, unknown>): void {
    if (method === 'initialize') {
      this.#version = null;
      this.#initializeResult = result;
    } else if (version !== null && this.#version === null) {
      // Without a handshake, the first answered request shows that the server supports the version.
      this.#version = version;
      this.#isReady = true;
      this.#initializeResult = toInitializeResult(result);
    } else return;
    this.#events.onInitialized();
  }

  /** Forgets a canceled request, so that a late response to it is ignored. */
  #cancel(id: unknown): void {
    if (typeof id !== 'string' && typeof id !== 'number') return;
    const key = toKey(id);
    const request = this.#requests.get(key);
    if (request !== undefined) this.#remove(key, request);
  }

  #remove(key: string, request: PendingRequest): void {
    this.#requests.delete(key);
    this.#argumentBytes -= request.bytes;
  }
}

/** Converts an id to a map key. Keeps `1` and `"1"` apart. */
function toKey(id: RpcId): string {
  return JSON.stringify(id);
}

function parseToolCall(params: unknown): PendingRequest['call'] {
  if (!isRecord(params) || typeof params['name'] !== 'string') return null;
  return { tool: params['name'], arguments: params['arguments'] };
}
