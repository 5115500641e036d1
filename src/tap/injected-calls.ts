import type { Clock } from '../shared/index.js';
import type { RpcMessage } from './rpc-message.js';

/** Time without a response after which a call fails and the next one is sent. */
const RESPONSE_TIMEOUT_MS = 10_000;
/** Longest wait for the calls of the MCP client, after which swarmlens is asked to retry. */
const BUSY_TIMEOUT_MS = 1_000;
/** Retry delay sent to swarmlens, in seconds. */
const RETRY_AFTER_S = 0.5;
const MAX_WAITING = 64;
/** Most unanswered calls that are remembered to recognize late responses. */
const MAX_UNANSWERED = 1_000;
/** Methods that are rejected while the MCP client is busy. The others belong to the handshake and wait. */
const DEFERRABLE_METHODS = new Set(['tools/call', 'ping']);

const SERVER_ERROR = -32_000;

/** Request of swarmlens for the observed server. */
export interface InjectedRequest {
  readonly method: string;
  readonly params: unknown;
}

/** JSON-RPC response without its id. */
export type InjectedResponse = { readonly result: unknown } | { readonly error: unknown };

export interface InjectedCallsOptions {
  /** Prefix of all request ids. No id of the MCP client begins with it. */
  readonly prefix: string;
  readonly clock: Clock;
  /** Returns whether a line may be written to the server now. */
  readonly canWrite: () => boolean;
  /** Returns whether requests of the MCP client are in flight. */
  readonly isClientBusy: () => boolean;
  /** Converts a request to the version of the session, when it is sent. */
  readonly adapt: (request: InjectedRequest) => InjectedRequest;
  readonly write: (line: string) => void;
}

interface InjectedCall {
  readonly request: InjectedRequest;
  readonly onResponse: (response: InjectedResponse) => void;
  /** Whether the response is still to be delivered. */
  isPending: boolean;
  /** Time limit for being sent, then for the response. */
  timer: Disposable | null;
}

/** Sends the calls of swarmlens on the observed session: in order, one at a time, with ids of their own. */
export class InjectedCalls {
  readonly #options: InjectedCallsOptions;
  readonly #waiters: InjectedCall[] = [];
  /** Calls that were sent and not answered, by id. Includes those that timed out or were canceled. */
  readonly #unanswered = new Map<string, InjectedCall>();
  #current: string | null = null;
  #count = 0;

  constructor(options: InjectedCallsOptions) {
    this.#options = options;
  }

  /** Whether the server may still respond to a call. */
  get expectsResponse(): boolean {
    return this.#unanswered.size > 0;
  }

  /**
   * Sends a call as soon as the MCP client is idle. Dispose the result to cancel it.
   * @param onResponse called once, unless the call is canceled
   */
  add(request: InjectedRequest, onResponse: (response: InjectedResponse) => void): Disposable {
    const call: InjectedCall = { request, onResponse, isPending: true, timer: null };
    if (this.#waiters.length >= MAX_WAITING) {
      this.#end(call, rejection('too many calls are waiting', RETRY_AFTER_S));
    } else {
      this.#waiters.push(call);
      if (DEFERRABLE_METHODS.has(request.method)) {
        call.timer = this.#options.clock.schedule(BUSY_TIMEOUT_MS, () => this.#rejectIfClientBusy(call));
      }
      this.flush();
    }
    return { [Symbol.dispose]: () => this.#cancel(call) };
  }

  /** Sends the next call if possible. Must be called whenever `canWrite` may have changed. */
  flush(): void {
    while (this.#current === null && this.#waiters.length > 0 && this.#options.canWrite()) this.#write();
  }

  /** Delivers a response. Returns true if it belongs to an injected call, even if it is late or a duplicate. */
  handleResponse({ id, result, error }: RpcMessage): boolean {
    if (typeof id !== 'string' || !id.startsWith(this.#options.prefix)) return false;
    const call = this.#unanswered.get(id);
    this.#unanswered.delete(id);
    if (call !== undefined) this.#end(call, error === undefined ? { result: result ?? {} } : { error });
    if (id === this.#current) this.#current = null;
    this.flush();
    return true;
  }

  /** Rejects all waiting calls, because nothing can be written any more. */
  rejectAll(): void {
    for (const call of this.#waiters.splice(0)) this.#end(call, rejection('the session is ending', null));
  }

  #write(): void {
    const call = this.#waiters.shift();
    if (call === undefined) return;
    this.#clearTimer(call);
    this.#count += 1;
    const id = `${this.#options.prefix}${this.#count}`;
    this.#current = id;
    this.#unanswered.set(id, call);
    for (const oldest of this.#unanswered.keys()) {
      if (this.#unanswered.size <= MAX_UNANSWERED) break;
      this.#unanswered.delete(oldest);
    }
    call.timer = this.#options.clock.schedule(RESPONSE_TIMEOUT_MS, () => this.#timeOut(id, call));
    const { method, params } = this.#options.adapt(call.request);
    this.#options.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
  }

  /** Fails a call. A late response is still removed from the server's output. */
  #timeOut(id: string, call: InjectedCall): void {
    if (!this.#unanswered.has(id)) return;
    this.#end(call, rejection(`the server did not answer within ${RESPONSE_TIMEOUT_MS} ms`, null));
    if (id === this.#current) this.#current = null;
    this.flush();
  }

  #rejectIfClientBusy(call: InjectedCall): void {
    if (!this.#options.isClientBusy() || !this.#remove(call)) return;
    this.#end(call, rejection('the MCP client has calls in flight', RETRY_AFTER_S));
  }

  #cancel(call: InjectedCall): void {
    call.isPending = false;
    // A call that was sent blocks the next one until it is answered or times out.
    if (this.#remove(call)) this.#clearTimer(call);
  }

  #end(call: InjectedCall, response: InjectedResponse): void {
    this.#clearTimer(call);
    if (!call.isPending) return;
    call.isPending = false;
    call.onResponse(response);
  }

  #clearTimer(call: InjectedCall): void {
    call.timer?.[Symbol.dispose]();
    call.timer = null;
  }

  #remove(call: InjectedCall): boolean {
    const index = this.#waiters.indexOf(call);
    if (index >= 0) this.#waiters.splice(index, 1);
    return index >= 0;
  }
}

function rejection(message: string, retryAfter: number | null): InjectedResponse {
  return { error: { code: SERVER_ERROR, message, ...(retryAfter === null ? {} : { data: { retryAfter } }) } };
}
