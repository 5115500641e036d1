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
/** Answers that say whose they are. */
type Answer = Exclude<JSONRPCMessage, { method: string } | Failure> | (Failure & { id: Request['id'] });

export interface CompatibilityOptions {
  /** Shown before the greeting; `null`: none. */
  readonly token: string | null;
  /** One channel for everything, unlike HTTP, where each message has an answer of its own. */
  readonly isStream: boolean;
}

const METHOD_NOT_FOUND = -32601;
const SERVER_ERROR = -32000;
/** Seconds. The bridges count the messages of the last minute, so that after this a part of them is forgotten. */
const RATE_PAUSE_S = 10;
const REFUSED_TOKEN = 'it refused the token: set "token" of this server to the one that it was started with';
const ASKS_FOR_TOKEN = 'set "token" of this server to the one that it was started with';

/**
 * Between the official client and servers that are not quite MCP: see `docs/decisions/0015-compatibility.md`. What a
 * server does as one should goes through as it is.
 */
export class CompatibilityTransport extends TransportDecorator {
  readonly #options: CompatibilityOptions;
  /** Requests without an answer; those that were given up too, because the server may answer them late. */
  readonly #out = new Set<Request['id']>();
  readonly #scheduler = new RequestQueue();
  /** Answers that are changed, or are not the client's at all: then nothing is returned. */
  readonly #onAnswer = new Map<Request['id'], (answer: Answer) => Answer | null>();
  readonly #giveUpOwn = new Set<(error: Error) => void>();
  #quirks = NO_QUIRKS;
  #takesNotifications = true;
  #hasNotified = false;
  #hasEnded = false;

  constructor(inner: Transport, options: CompatibilityOptions) {
    super(inner);
    this.#options = options;
    inner.onclose = () => {
      this.#hasEnded = true;
      for (const giveUp of [...this.#giveUpOwn]) giveUp(new Error('the server closed the connection'));
      this.#scheduler.end();
      this.onclose?.();
    };
  }

  /** @throws TransportError the server does not want the token */
  override async start(): Promise<void> {
    await super.start();
    const { token } = this.#options;
    if (token === null) return;
    const answer = await this.#ask('authenticate', { token });
    // A server that knows no tokens needs none.
    if ('error' in answer && answer.error.code === METHOD_NOT_FOUND) return;
    if ('error' in answer || answer.result['authenticated'] !== true) throw new TransportError(REFUSED_TOKEN);
  }

  override async send(message: JSONRPCMessage, options?: SendOptions): Promise<void> {
    if (!('method' in message)) await super.send(message, options);
    else if ('id' in message) await this.#request(message, options);
    else await this.#notify(message, options);
  }

  protected override received(message: JSONRPCMessage, extra: Extra): void {
    if ('method' in message) super.received(message, extra);
    else if (message.id !== undefined) this.#answered({ ...message, id: message.id }, extra);
    else if ('error' in message) this.#errorToNobody(message, extra);
  }

  async #request(message: Request, options: SendOptions): Promise<void> {
    const { id, method, params = {} } = message;
    if (method === 'initialize') this.#onAnswer.set(id, (answer) => this.#awaitingFirstUpdate(answer));
    if (method === 'tools/list') {
      if (this.#quirks.usesCustomMethods) {
        queueMicrotask(() => super.received(ownMethods(id), undefined));
        return;
      }
      this.#onAnswer.set(id, (answer) => this.#listed(answer));
    }
    const own = this.#quirks.usesCustomMethods && method === 'tools/call' ? String(params['name']) : null;
    if (own === null || !GATEWAY_METHODS.includes(own)) await this.#put(message, options);
    else {
      this.#onAnswer.set(id, asToolAnswer);
      // The arguments of a tool are an object, and so are the parameters of a method.
      const argumentsOf = (params['arguments'] ?? {}) as Record<string, unknown>;
      await this.#put({ jsonrpc: '2.0', id, method: own, params: argumentsOf }, options);
    }
  }

  async #put(message: Request, options?: SendOptions): Promise<void> {
    const write = (): Promise<void> => {
      if (this.#options.isStream) this.#out.add(message.id);
      return super.send(message, options);
    };
    try {
      await (this.#options.isStream && this.#quirks.needsSerialRequests
        ? this.#scheduler.enqueue(message.id, write)
        : write());
    } catch (error) {
      this.#onAnswer.delete(message.id);
      this.#out.delete(message.id);
      throw error;
    }
  }

  async #notify(message: Notification, options: SendOptions): Promise<void> {
    const { method, params } = message;
    if (method === 'notifications/cancelled') {
      // It is an id, or else nobody's.
      const id = params?.['requestId'] as Request['id'];
      this.#onAnswer.delete(id);
      if (this.#scheduler.cancel(id)) return;
    }
    if (this.#takesNotifications) {
      this.#hasNotified = true;
      try {
        await super.send(message, options);
      } catch (error) {
        const refused = error instanceof HttpStatusError || error instanceof ToolRejectedError;
        if (!refused) throw error;
        this.#takesNotifications = error instanceof ToolRejectedError && error.retryAfterMs !== null;
      }
    }
    if (method === 'notifications/initialized' && this.#quirks.usesCustomMethods) this.#subscribe();
  }

  #answered(answer: Answer, extra: Extra): void {
    const { id } = answer;
    this.#out.delete(id);
    const change = this.#onAnswer.get(id);
    this.#onAnswer.delete(id);
    const changed = change === undefined ? answer : change(answer);
    if (changed !== null) super.received('error' in changed ? this.#explained(changed) : changed, extra);
    this.#scheduler.complete(id);
  }

  /**
   * Some servers answer notifications with such errors, so it is a request's only where all errors are known to have no id,
   * and only one request can be meant. Otherwise that one waits for its timeout.
   */
  #errorToNobody(message: Failure, extra: Extra): void {
    const [only] = this.#out;
    const isAnswer = this.#options.isStream && (this.#quirks.omitsErrorIds || isRateError(message));
    if (isAnswer && only !== undefined && this.#out.size === 1) {
      this.#answered({ ...message, id: only }, extra);
      return;
    }
    // It may be what the server thinks of a notification: there is none that it must have.
    if (this.#hasNotified) this.#takesNotifications = false;
    super.received(message, extra);
  }

  #awaitingFirstUpdate(answer: Answer): Answer {
    if ('error' in answer) return answer;
    this.#quirks = detectQuirks(answer.result);
    if (!this.#quirks.acceptsNotifications) this.#takesNotifications = false;
    const capabilities = normalizeCapabilities(answer.result['capabilities']);
    return { ...answer, result: { ...answer.result, capabilities } };
  }

  /** A server without `tools/list` may be one that has methods of its own instead. */
  #listed(answer: Answer): Answer | null {
    const isMissing = 'error' in answer && answer.error.code === METHOD_NOT_FOUND;
    if (!isMissing) {
      if (this.#quirks.omitsCapabilities) this.#quirks = { ...this.#quirks, needsSerialRequests: false };
      return answer;
    }
    const none: Answer = this.#quirks.omitsCapabilities
      ? { jsonrpc: '2.0', id: answer.id, result: { tools: [] } }
      : answer;
    const deliver = (instead: Answer): void => super.received(instead, undefined);
    this.#ask('agent/list', {}).then(
      (list) => {
        if ('error' in list || !Array.isArray(list.result['agents'])) deliver(none);
        else {
          this.#quirks = GATEWAY_QUIRKS;
          this.#takesNotifications = false;
          this.#subscribe();
          deliver(ownMethods(answer.id));
        }
      },
      () => deliver(none),
    );
    return null;
  }

  /** Pushes are an addition to polls: a server that refuses them is polled all the same. */
  #subscribe(): void {
    this.#ask('agent_events/subscribe', {}).catch(() => undefined);
  }

  /** A request of our own. @throws when the connection ends before the answer */
  #ask(method: string, params: Record<string, unknown>): Promise<Answer> {
    const id = `swarmlens-own-${randomUUID()}`;
    return new Promise((resolve, reject) => {
      const end = (): void => void this.#giveUpOwn.delete(reject);
      if (this.#hasEnded) reject(new Error('Not connected'));
      this.#giveUpOwn.add(reject);
      this.#onAnswer.set(id, (answer) => {
        end();
        resolve(answer);
        return null;
      });
      this.#put({ jsonrpc: '2.0', id, method, params }).catch((error: unknown) => {
        end();
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
  }

  /** What the bridges leave out of their errors. */
  #explained(failure: Failure): Failure {
    const { error } = failure;
    if (isRateError(failure)) {
      return { ...failure, error: { ...error, data: { retryAfter: RATE_PAUSE_S } } };
    }
    if (error.code === SERVER_ERROR && this.#options.token === null && /authenticat/i.test(error.message)) {
      return { ...failure, error: { ...error, message: `${error.message}: ${ASKS_FOR_TOKEN}` } };
    }
    return failure;
  }
}

function isRateError({ error }: Failure): boolean {
  return error.code === SERVER_ERROR && error.data === undefined && /rate limit/i.test(error.message);
}

function ownMethods(id: Request['id']): Answer {
  const tools = GATEWAY_METHODS.map((name) => ({ name, inputSchema: { type: 'object' } }));
  return { jsonrpc: '2.0', id, result: { tools } };
}

function asToolAnswer(answer: Answer): Answer {
  return 'error' in answer ? answer : { ...answer, result: { content: [], structuredContent: answer.result } };
}
