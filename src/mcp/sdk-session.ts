import { type Client, ProtocolError, SseError } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { Emitter, errorMessage, scheduleDeadline, SIMULATED_CAPABILITY } from '../shared/index.js';
import { SessionClosedError, ToolCallTimeoutError, ToolRejectedError, TransportError } from './errors.js';
import { HttpStatusError, parseRetryAfterMs } from './transports/http/http-errors.js';
import { SanitizeLog, UnexpectedMessageLog } from './rate-limited-logs.js';
import type {
  ConnectOptions,
  McpSession,
  ServerIdentity,
  SessionCallOptions,
  SessionEvent,
  ToolCallResult,
  ToolInfo,
} from './session.js';
import { toPrintableLine } from '../shared/sanitize/index.js';
import type { ScratchDirectory } from './transports/stdio/scratch-directory.js';
import { parseSessionEvent } from './session-events.js';
import { decodeToolResult, toolResultSchema } from './tool-result.js';
import { listTools } from './tool-list.js';
import type { OpenedTransport } from './create-transport.js';

interface SessionParts {
  readonly client: Client;
  readonly opened: OpenedTransport;
  readonly scratch: ScratchDirectory | null;
  /** Whether the session belongs to another MCP client, whose calls are observed through a tap. */
  readonly isTapped: boolean;
  readonly options: ConnectOptions;
}

/** Time limit for the message that ends the session on the server. */
const TERMINATE_TIMEOUT_MS = 1_000;

/** Longest error message in UTF-16 units. Most of it may be text of the server. */
const MAX_MESSAGE_LENGTH = 1_000;
/** Longest name or version in UTF-16 units. */
const MAX_NAME_LENGTH = 256;
const MAX_CAPABILITIES = 64;

const anyResultSchema = z.unknown();

/**
 * Timeout given to the official client, which never expires. Its timers do not know whether this process was stalled, so
 * the session keeps the deadlines itself.
 */
const NO_TIMEOUT = 2 ** 31 - 1;

/** MCP session on top of the official client. */
export class SdkSession implements McpSession {
  readonly closed: Promise<Error | null>;
  readonly #parts: SessionParts;
  readonly #unexpectedMessages: UnexpectedMessageLog;
  readonly #sanitizeLog: SanitizeLog;
  readonly #sessionEvents = new Emitter<SessionEvent>();
  #resolveClosed: (reason: Error | null) => void = () => undefined;
  #identity: ServerIdentity = { name: 'unknown', version: null, simulated: false };
  #tools: readonly ToolInfo[] = [];
  #isOpen = false;
  #toolsAreStale = false;
  #isListing = false;
  #hasEnded = false;
  #closedBy: SessionClosedError | null = null;
  #pendingClose: Promise<void> | null = null;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    const { client, opened, options } = parts;
    this.#unexpectedMessages = new UnexpectedMessageLog(options.clock, options.logger, options.serverId);
    this.#sanitizeLog = new SanitizeLog(options.clock, options.logger, options.serverId);
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    client.onclose = () => {
      const { reason, isOrderly } = opened.end() ?? { reason: 'the server closed the session', isOrderly: false };
      this.#end(new SessionClosedError(`${reason}${opened.diagnosticTail()}`, isOrderly));
    };
    client.onerror = (error) => this.#handleClientError(error);
    client.setNotificationHandler('notifications/tools/list_changed', () => this.#refreshTools());
    client.fallbackNotificationHandler = async ({ method, params }) => {
      if (this.#hasEnded) return;
      const { isTapped } = parts;
      this.#sessionEvents.emit(
        parseSessionEvent(method, params, { isTapped, onChanges: (changes) => this.#sanitizeLog.record(changes) }),
      );
    };
  }

  get identity(): ServerIdentity {
    return this.#identity;
  }

  get tools(): readonly ToolInfo[] {
    return this.#tools;
  }

  get pid(): number | null {
    return this.#parts.opened.pid();
  }

  /** Performs the handshake and lists the tools. */
  async open(signal: AbortSignal): Promise<void> {
    const { client, opened } = this.#parts;
    await client.connect(opened.transport, { signal, timeout: NO_TIMEOUT });
    const server = client.getServerVersion();
    const capabilities = client.getServerCapabilities();
    this.#identity = {
      name: toPrintableLine(server?.name ?? '', MAX_NAME_LENGTH) || 'unknown',
      version: toPrintableLine(server?.version ?? '', MAX_NAME_LENGTH) || null,
      simulated: capabilities?.experimental?.[SIMULATED_CAPABILITY] !== undefined,
      capabilities: Object.keys(capabilities ?? {})
        .slice(0, MAX_CAPABILITIES)
        .map((capability) => toPrintableLine(capability, MAX_NAME_LENGTH)),
    };
    if (capabilities?.tools !== undefined) this.#tools = await listTools(client, { signal, timeout: NO_TIMEOUT });
    this.#isOpen = true;
    if (this.#toolsAreStale) await this.#refreshTools();
  }

  async callTool(
    name: string,
    args: Readonly<Record<string, unknown>>,
    options: SessionCallOptions,
  ): Promise<ToolCallResult> {
    const { client, scratch } = this.#parts;
    const request = { method: 'tools/call', params: { name, arguments: args } };
    return this.#request(`tool "${name}"`, options, (requestOptions) => {
      const call = async (): Promise<ToolCallResult> =>
        decodeToolResult(await client.request(request, toolResultSchema, requestOptions), (changes) =>
          this.#sanitizeLog.record(changes),
        );
      return scratch === null ? call() : scratch.run(call);
    });
  }

  async ping(options: SessionCallOptions): Promise<void> {
    try {
      await this.#request('ping', options, (requestOptions) =>
        this.#parts.client.request({ method: 'ping' }, anyResultSchema, requestOptions),
      );
    } catch (error) {
      if (!(error instanceof ToolRejectedError)) throw error;
    }
  }

  onEvent(callback: (event: SessionEvent) => void): Disposable {
    return this.#sessionEvents.add(callback);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pendingClose ??= this.#close();
    await this.#pendingClose;
  }

  async #request<T>(
    label: string,
    { signal, timeoutMs }: SessionCallOptions,
    call: (requestOptions: { signal: AbortSignal; timeout: number }) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    if (this.#hasEnded) throw this.#closedError();
    const abortController = new AbortController();
    const timedOut = new ToolCallTimeoutError(`${label} did not answer within ${timeoutMs} ms`);
    using _deadline = scheduleDeadline(this.#parts.options.clock, timeoutMs, () => abortController.abort(timedOut));
    const abort = (): void => abortController.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await call({ signal: abortController.signal, timeout: NO_TIMEOUT });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof HttpStatusError && error.isSessionLost) this.#fail('the server no longer knows the session');
      throw abortController.signal.aborted ? (this.#closedBy ?? timedOut) : this.#toSessionError(error);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  async #close(): Promise<void> {
    const { client, opened, scratch, options } = this.#parts;
    if (!this.#hasEnded && this.#isOpen) await this.#terminateSession();
    this.#end(null);
    await client.close().catch(() => undefined);
    // After a failed handshake the client has already dropped its transport.
    await opened.transport.close().catch(() => undefined);
    await scratch?.[Symbol.asyncDispose]().catch((error: unknown) => {
      options.logger.debug(
        { serverId: options.serverId, error: errorMessage(error) },
        'could not remove scratch directory',
      );
    });
  }

  async #terminateSession(): Promise<void> {
    const { opened, options } = this.#parts;
    let timer: Disposable | undefined;
    const timedOut = new Promise<void>((resolve) => (timer = options.clock.schedule(TERMINATE_TIMEOUT_MS, resolve)));
    await Promise.race([opened.terminateSession().catch(() => undefined), timedOut]);
    timer?.[Symbol.dispose]();
  }

  #end(reason: SessionClosedError | null): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#closedBy = reason;
    this.#resolveClosed(reason);
  }

  /** Ends the session because of a message, while the transport is still open. */
  #fail(reason: string): void {
    if (this.#hasEnded) return;
    this.#end(new SessionClosedError(reason));
    this.#parts.client.close().catch(() => undefined);
  }

  #closedError(): SessionClosedError {
    return this.#closedBy ?? new SessionClosedError('the session was closed');
  }

  async #refreshTools(): Promise<void> {
    this.#toolsAreStale = true;
    if (!this.#isOpen || this.#isListing) return;
    const { client, options } = this.#parts;
    this.#isListing = true;
    try {
      // The tools may change again while they are listed.
      while (this.#toolsAreStale && !this.#hasEnded) {
        this.#toolsAreStale = false;
        this.#tools = await listTools(client, { timeout: options.connectTimeoutMs });
        options.onToolsChanged?.();
      }
    } catch (error) {
      options.logger.debug({ serverId: options.serverId, error: rootCauseMessage(error) }, 'could not refresh tools');
    } finally {
      this.#isListing = false;
    }
  }

  #toSessionError(error: unknown): Error {
    if (this.#hasEnded) return this.#closedError();
    if (error instanceof ToolRejectedError) return error;
    if (error instanceof ProtocolError)
      return new ToolRejectedError(
        toPrintableLine(error.message, MAX_MESSAGE_LENGTH),
        error.code,
        parseRetryAfterMs(error.data),
      );
    return new TransportError(rootCauseMessage(error), { cause: error });
  }

  #handleClientError(error: Error): void {
    // Errors with a cause or a status belong to a call and reach its caller.
    if (this.#hasEnded || error instanceof HttpStatusError || error instanceof ToolRejectedError || error.cause != null)
      return;
    this.#unexpectedMessages.record(error);
    // The stream would be reopened as another session, which the server does not know.
    if (error instanceof SseError && this.#isOpen) this.#fail('the event stream was lost');
  }
}

/** Returns the message of the root cause, because that of the outer error is often just "fetch failed". */
export function rootCauseMessage(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const message = errorMessage(cause);
  // If several addresses failed, the common error has only a code.
  const text = message === '' && cause instanceof Error && 'code' in cause ? String(cause.code) : message;
  return toPrintableLine(text, MAX_MESSAGE_LENGTH);
}
