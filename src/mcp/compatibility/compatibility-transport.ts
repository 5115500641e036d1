import { randomUUID } from 'node:crypto';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { TransportError, ToolRejectedError } from '../errors.js';
import { HttpStatusError } from '../transports/http/http-errors.js';
import { GATEWAY_QUIRKS, detectQuirks, NO_QUIRKS, GATEWAY_METHODS, normalizeCapabilities } from './server-quirks.js';
import { RequestQueue } from './request-queue.js';
import { TransportDecorator } from './transport-decorator.js';

type SendOptions = Parameters<Transport['send']>[1];
type Extra = Parameters<NonNullable<Transport['onmessage']>>[1];
type Request = Extract<JSONRPCMessage, { method: string; id: unknown }>;
type Notification = Exclude<Extract<JSONRPCMessage, { method: string }>, Request>;
type Failure = Extract<JSONRPCMessage, { error: unknown }>;
/** Response that carries the id of its request. */
type Response = Exclude<JSONRPCMessage, { method: string } | Failure> | (Failure & { id: Request['id'] });

export interface CompatibilityOptions {
  /** Token sent in an `authenticate` request before `initialize`. Null if the server needs none. */
  readonly token: string | null;
  /** Whether all messages share one channel. False for HTTP, where each request has its own response. */
  readonly isStream: boolean;
}

const METHOD_NOT_FOUND = -32601;
const SERVER_ERROR = -32000;
/**
 * Delay in seconds after a rate limit error. The bridges count the messages of the last minute, so part of the budget is
 * free again by then.
 */
const RATE_LIMIT_DELAY_S = 10;
const TOKEN_ADVICE = 'set "token" of this server to the token that the server was started with';
const TOKEN_REJECTED = `the server rejected the token; ${TOKEN_ADVICE}`;

/**
 * Adapts servers that deviate from MCP to the official client: see `docs/decisions/0015-compatibility.md`. Messages that
 * follow the specification pass unchanged.
 */
export class CompatibilityTransport extends TransportDecorator {
  readonly #options: CompatibilityOptions;
  /** Ids of requests without a response, canceled ones included because the server may still respond to them. */
  readonly #unanswered = new Set<Request['id']>();
  readonly #queue = new RequestQueue();
  /** Handlers of responses that are rewritten. A handler returns null if the official client must not see the response. */
  readonly #responseHandlers = new Map<Request['id'], (response: Response) => Response | null>();
  readonly #rejectOwnRequests = new Set<(error: Error) => void>();
  #quirks = NO_QUIRKS;
  #acceptsNotifications = true;
  #hasNotified = false;
  #hasEnded = false;

  constructor(inner: Transport, options: CompatibilityOptions) {
    super(inner);
    this.#options = options;
    inner.onclose = () => {
      this.#hasEnded = true;
      for (const reject of [...this.#rejectOwnRequests]) reject(new Error('the server closed the connection'));
      this.#queue.end();
      this.onclose?.();
    };
  }

  /** @throws TransportError if the server rejects the token */
  override async start(): Promise<void> {
    await super.start();
    const { token } = this.#options;
    if (token === null) return;
    const response = await this.#sendOwnRequest('authenticate', { token });
    // A server without this method needs no token.
    if ('error' in response && response.error.code === METHOD_NOT_FOUND) return;
    if ('error' in response || response.result['authenticated'] !== true) throw new TransportError(TOKEN_REJECTED);
  }

  override async send(message: JSONRPCMessage, options?: SendOptions): Promise<void> {
    if (!('method' in message)) await super.send(message, options);
    else if ('id' in message) await this.#request(message, options);
    else await this.#notify(message, options);
  }

  protected override received(message: JSONRPCMessage, extra: Extra): void {
    if ('method' in message) super.received(message, extra);
    else if (message.id !== undefined) this.#responded({ ...message, id: message.id }, extra);
    else if ('error' in message) this.#errorWithoutId(message, extra);
  }

  async #request(message: Request, options: SendOptions): Promise<void> {
    const { id, method, params = {} } = message;
    if (method === 'initialize') this.#responseHandlers.set(id, (response) => this.#initialized(response));
    if (method === 'tools/list') {
      if (this.#quirks.usesCustomMethods) {
        queueMicrotask(() => super.received(gatewayToolList(id), undefined));
        return;
      }
      this.#responseHandlers.set(id, (response) => this.#toolsListed(response));
    }
    const customMethod = this.#quirks.usesCustomMethods && method === 'tools/call' ? String(params['name']) : null;
    if (customMethod === null || !GATEWAY_METHODS.includes(customMethod)) await this.#write(message, options);
    else {
      this.#responseHandlers.set(id, toToolResponse);
      // MCP requires tool arguments to be an object; the client has sent this message itself.
      const toolArguments = (params['arguments'] ?? {}) as Record<string, unknown>;
      await this.#write({ jsonrpc: '2.0', id, method: customMethod, params: toolArguments }, options);
    }
  }

  async #write(message: Request, options?: SendOptions): Promise<void> {
    const write = (): Promise<void> => {
      if (this.#options.isStream) this.#unanswered.add(message.id);
      return super.send(message, options);
    };
    try {
      await (this.#options.isStream && this.#quirks.needsSerialRequests
        ? this.#queue.enqueue(message.id, write)
        : write());
    } catch (error) {
      this.#responseHandlers.delete(message.id);
      this.#unanswered.delete(message.id);
      throw error;
    }
  }

  async #notify(message: Notification, options: SendOptions): Promise<void> {
    const { method, params } = message;
    if (method === 'notifications/cancelled') {
      // Any other value matches no request.
      const id = params?.['requestId'] as Request['id'];
      this.#responseHandlers.delete(id);
      if (this.#queue.cancel(id)) return;
    }
    if (this.#acceptsNotifications) {
      this.#hasNotified = true;
      try {
        await super.send(message, options);
      } catch (error) {
        const isRejected = error instanceof HttpStatusError || error instanceof ToolRejectedError;
        if (!isRejected) throw error;
        this.#acceptsNotifications = error instanceof ToolRejectedError && error.retryAfterMs !== null;
      }
    }
    if (method === 'notifications/initialized' && this.#quirks.usesCustomMethods) this.#subscribe();
  }

  #responded(response: Response, extra: Extra): void {
    const { id } = response;
    this.#unanswered.delete(id);
    const rewrite = this.#responseHandlers.get(id);
    this.#responseHandlers.delete(id);
    const rewritten = rewrite === undefined ? response : rewrite(response);
    if (rewritten !== null) super.received('error' in rewritten ? this.#withAdvice(rewritten) : rewritten, extra);
    this.#queue.complete(id);
  }

  /**
   * Handles an error without an id. Attributes it to a request only if the server is known to omit ids in all errors and
   * exactly one request is unanswered, because some servers answer notifications with such errors. Otherwise the request
   * ends with its timeout.
   */
  #errorWithoutId(message: Failure, extra: Extra): void {
    const [only] = this.#unanswered;
    const isResponse = this.#options.isStream && (this.#quirks.omitsErrorIds || isRateError(message));
    if (isResponse && only !== undefined && this.#unanswered.size === 1) {
      this.#responded({ ...message, id: only }, extra);
      return;
    }
    // The error may answer a notification. No notification is required, so none is sent from now on.
    if (this.#hasNotified) this.#acceptsNotifications = false;
    super.received(message, extra);
  }

  #initialized(response: Response): Response {
    if ('error' in response) return response;
    this.#quirks = detectQuirks(response.result);
    if (!this.#quirks.acceptsNotifications) this.#acceptsNotifications = false;
    const capabilities = normalizeCapabilities(response.result['capabilities']);
    return { ...response, result: { ...response.result, capabilities } };
  }

  /** Handles the response to `tools/list`. A server without this method may be the gateway, which has custom methods. */
  #toolsListed(response: Response): Response | null {
    const isMissing = 'error' in response && response.error.code === METHOD_NOT_FOUND;
    if (!isMissing) {
      if (this.#quirks.omitsCapabilities) this.#quirks = { ...this.#quirks, needsSerialRequests: false };
      return response;
    }
    const noTools: Response = this.#quirks.omitsCapabilities
      ? { jsonrpc: '2.0', id: response.id, result: { tools: [] } }
      : response;
    const deliver = (replacement: Response): void => super.received(replacement, undefined);
    this.#sendOwnRequest('agent/list', {}).then(
      (list) => {
        if ('error' in list || !Array.isArray(list.result['agents'])) deliver(noTools);
        else {
          this.#quirks = GATEWAY_QUIRKS;
          this.#acceptsNotifications = false;
          this.#subscribe();
          deliver(gatewayToolList(response.id));
        }
      },
      () => deliver(noTools),
    );
    return null;
  }

  /** Requests agent events. Ignores a rejection, because the server is polled anyway. */
  #subscribe(): void {
    this.#sendOwnRequest('agent_events/subscribe', {}).catch(() => undefined);
  }

  /**
   * Sends a request that the official client does not know of.
   * @throws Error if the connection ends before the response
   */
  #sendOwnRequest(method: string, params: Record<string, unknown>): Promise<Response> {
    const id = `swarmlens-own-${randomUUID()}`;
    return new Promise((resolve, reject) => {
      const settle = (): void => void this.#rejectOwnRequests.delete(reject);
      if (this.#hasEnded) reject(new Error('Not connected'));
      this.#rejectOwnRequests.add(reject);
      this.#responseHandlers.set(id, (response) => {
        settle();
        resolve(response);
        return null;
      });
      this.#write({ jsonrpc: '2.0', id, method, params }).catch((error: unknown) => {
        settle();
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
  }

  /** Adds the retry delay or the advice about tokens that the bridges omit from their errors. */
  #withAdvice(failure: Failure): Failure {
    const { error } = failure;
    if (isRateError(failure)) {
      return { ...failure, error: { ...error, data: { retryAfter: RATE_LIMIT_DELAY_S } } };
    }
    if (error.code === SERVER_ERROR && this.#options.token === null && /authenticat/i.test(error.message)) {
      return { ...failure, error: { ...error, message: `${error.message}: ${TOKEN_ADVICE}` } };
    }
    return failure;
  }
}

function isRateError({ error }: Failure): boolean {
  return error.code === SERVER_ERROR && error.data === undefined && /rate limit/i.test(error.message);
}

function gatewayToolList(id: Request['id']): Response {
  const tools = GATEWAY_METHODS.map((name) => ({ name, inputSchema: { type: 'object' } }));
  return { jsonrpc: '2.0', id, result: { tools } };
}

function toToolResponse(response: Response): Response {
  if ('error' in response) return response;
  return { ...response, result: { content: [], structuredContent: response.result } };
}
