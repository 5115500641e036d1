import type { Clock } from '../shared/index.js';
import { isRecord, type RpcId, type RpcMessage } from './rpc-message.js';

/** A request that was not answered for so long is not going to be. */
const FORGOTTEN_MS = 600_000;
/** Requests that are remembered at one time; whoever has more is not served by counting them. */
const MAX_REQUESTS = 10_000;
/** Of the arguments of calls under way, together. */
const MAX_ARGUMENT_BYTES = 10 * 1024 * 1024;

/** A call of the person that was answered. */
export interface ObservedToolCall {
  readonly tool: string;
  readonly arguments: unknown;
  /** Of the two, one is `undefined`. */
  readonly result: unknown;
  readonly error: unknown;
}

interface PendingRequest {
  readonly method: string;
  readonly sinceMs: number;
  readonly call: { readonly tool: string; readonly arguments: unknown } | null;
  readonly bytes: number;
}

export interface SessionTrackerEvents {
  readonly onCall: (call: ObservedToolCall) => void;
  readonly onToolsChanged: () => void;
  /** The server has been greeted by the person's client. */
  readonly onInitialized: () => void;
}

/** What a person's client and a server have said to each other, as far as it concerns us. */
export class SessionTracker {
  readonly #clock: Clock;
  readonly #events: SessionTrackerEvents;
  readonly #requests = new Map<string, PendingRequest>();
  #argumentBytes = 0;
  #greeting: Record<string, unknown> | null = null;
  #isReady = false;

  constructor(clock: Clock, events: SessionTrackerEvents) {
    this.#clock = clock;
    this.#events = events;
  }

  /** The result of the person's `initialize`; `null`: there is none yet. */
  get initializeResult(): Readonly<Record<string, unknown>> | null {
    return this.#greeting;
  }

  /** Whether the server may be asked things: the handshake is over. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Whether none of the person's requests is under way. */
  get isIdle(): boolean {
    const sinceMs = this.#clock.monotonic() - FORGOTTEN_MS;
    for (const [key, request] of this.#requests) {
      if (request.sinceMs > sinceMs) break;
      this.#forget(key, request);
    }
    return this.#requests.size === 0;
  }

  /** @param bytes of the line that it stood in */
  fromClient({ id, method, params }: RpcMessage, bytes: number): void {
    if (method === undefined) return;
    if (id === undefined) {
      if (method === 'notifications/cancelled' && isRecord(params)) this.#cancelled(params['requestId']);
      if (method === 'notifications/initialized' && this.#greeting !== null) this.#isReady = true;
      return;
    }
    if (method !== 'initialize' && this.#greeting !== null) this.#isReady = true;
    const key = keyOf(id);
    const before = this.#requests.get(key);
    if (before !== undefined) this.#forget(key, before);
    if (this.#requests.size >= MAX_REQUESTS) return;
    const isKept = this.#argumentBytes + bytes <= MAX_ARGUMENT_BYTES;
    const call = method === 'tools/call' && isKept ? callOf(params) : null;
    const request = { method, sinceMs: this.#clock.monotonic(), call, bytes: call === null ? 0 : bytes };
    this.#requests.set(key, request);
    this.#argumentBytes += request.bytes;
  }

  fromServer({ id, method, result, error }: RpcMessage): void {
    if (method !== undefined) {
      if (method === 'notifications/tools/list_changed') this.#events.onToolsChanged();
      return;
    }
    if (id === undefined) return;
    const key = keyOf(id);
    const request = this.#requests.get(key);
    if (request === undefined) return;
    this.#forget(key, request);
    if (request.method === 'initialize' && isRecord(result)) {
      this.#greeting = result;
      this.#events.onInitialized();
    }
    if (request.call !== null) this.#events.onCall({ ...request.call, result, error });
  }

  /** Its answer, if one comes, is none to anybody. */
  #cancelled(id: unknown): void {
    if (typeof id !== 'string' && typeof id !== 'number') return;
    const key = keyOf(id);
    const request = this.#requests.get(key);
    if (request !== undefined) this.#forget(key, request);
  }

  #forget(key: string, request: PendingRequest): void {
    this.#requests.delete(key);
    this.#argumentBytes -= request.bytes;
  }
}

/** `1` and `"1"` are two ids. */
function keyOf(id: RpcId): string {
  return JSON.stringify(id);
}

function callOf(params: unknown): PendingRequest['call'] {
  if (!isRecord(params) || typeof params['name'] !== 'string') return null;
  return { tool: params['name'], arguments: params['arguments'] };
}
