import { TAP_CALL_METHOD } from '../../shared/index.js';
import type { ObservedToolCall } from '../session-tracker.js';
import { Uplink, type UplinkOptions } from './uplink.js';
import type { InjectedRequest } from '../injected-calls.js';
import { parseMessages, type RpcId, type RpcMessage } from '../rpc-message.js';
import type { StdioProxy } from '../stdio-proxy.js';
import { ToolPolicy } from '../tool-policy.js';

const INTERNAL_ERROR = -32_603;
/** Code of requests that the tap refuses: "invalid params" for a tool, as servers answer for a tool that they do not have. */
const REFUSED = -32_602;

/** MCP server that the tap offers to swarmlens over the uplink, with one message per frame. */
export class UplinkServer {
  readonly #proxy: Pick<StdioProxy, 'call' | 'initializeResult'>;
  readonly #uplink: Pick<Uplink, 'send' | 'takeDropped'>;
  readonly #policy: ToolPolicy;
  readonly #notify: (text: string) => void;
  /** Calls in flight by id. Null while the call is being created. */
  readonly #calls = new Map<RpcId, Disposable | null>();
  /** Id of an `initialize` request of swarmlens that waits for the handshake of the MCP client. */
  #pendingInitializeId: RpcId | null = null;

  constructor(
    proxy: Pick<StdioProxy, 'call' | 'initializeResult'>,
    uplink: Pick<Uplink, 'send' | 'takeDropped'>,
    { join, notify }: Pick<UplinkOptions, 'join' | 'notify'>,
  ) {
    this.#proxy = proxy;
    this.#uplink = uplink;
    this.#policy = new ToolPolicy(join.allowTools);
    this.#notify = notify;
  }

  /** Handles a frame of swarmlens. */
  receive(text: string): void {
    for (const message of parseMessages(Buffer.from(text))) this.#handleMessage(message);
  }

  /** Cancels everything that swarmlens has requested, because the uplink closed. */
  reset(): void {
    for (const call of this.#calls.values()) call?.[Symbol.dispose]();
    this.#calls.clear();
    this.#pendingInitializeId = null;
  }

  /** Answers a waiting `initialize` request after the handshake of the MCP client. */
  sessionInitialized(): void {
    const { initializeResult } = this.#proxy;
    if (this.#pendingInitializeId === null || initializeResult === null) return;
    this.#uplink.send({ id: this.#pendingInitializeId, result: initializeResult });
    this.#pendingInitializeId = null;
  }

  /** Sends an observed call, with the number of calls dropped before it. */
  forwardCall({ tool, arguments: args, result, error }: ObservedToolCall): void {
    const dropped = this.#uplink.takeDropped();
    this.#uplink.send({
      method: TAP_CALL_METHOD,
      params: { tool, arguments: args, result, error, ...(dropped === 0 ? {} : { dropped }) },
    });
  }

  toolsChanged(): void {
    this.#uplink.send({ method: 'notifications/tools/list_changed' });
  }

  #handleMessage({ id, method, params }: RpcMessage): void {
    if (method === 'notifications/cancelled') this.#cancel(params);
    // Other notifications and responses have no effect here.
    if (method === undefined || id === undefined) return;
    if (method === 'initialize') {
      this.#pendingInitializeId = id;
      this.sessionInitialized();
    } else if (this.#calls.has(id)) {
      this.#uplink.send({ id, error: { code: INTERNAL_ERROR, message: 'duplicate request id' } });
    } else {
      this.#request(id, { method, params });
    }
  }

  #request(id: RpcId, request: InjectedRequest): void {
    const refusal = this.#policy.findRefusal(request);
    if (refusal !== null) {
      this.#notify(`Refused a request of swarmlens: ${refusal}.`);
      this.#uplink.send({ id, error: { code: REFUSED, message: refusal } });
      return;
    }
    this.#calls.set(id, null);
    const call = this.#proxy.call(request, (response) => {
      this.#calls.delete(id);
      if (request.method === 'tools/list' && 'result' in response) this.#policy.recordTools(request, response.result);
      this.#uplink.send({ id, ...response });
    });
    // A rejected call is answered before `call` returns.
    if (this.#calls.has(id)) this.#calls.set(id, call);
  }

  #cancel(params: unknown): void {
    const id = typeof params === 'object' && params !== null && 'requestId' in params ? params.requestId : undefined;
    if (typeof id !== 'string' && typeof id !== 'number') return;
    this.#calls.get(id)?.[Symbol.dispose]();
    this.#calls.delete(id);
  }
}

/** Connects a proxy with swarmlens whenever swarmlens is available. */
export function startUplink(proxy: StdioProxy, options: UplinkOptions): { uplink: Uplink; uplinkServer: UplinkServer } {
  const uplink = new Uplink(options, {
    onMessage: (text) => uplinkServer.receive(text),
    onClose: () => uplinkServer.reset(),
  });
  const uplinkServer = new UplinkServer(proxy, uplink, options);
  return { uplink, uplinkServer };
}
