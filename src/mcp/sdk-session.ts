import { type Client, ProtocolError, SseError } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { Emitter, errorMessage, scheduleDeadline } from '../shared/index.js';
import { SessionClosedError, ToolCallTimeoutError, ToolRejectedError, TransportError } from './errors.js';
import { HttpStatusError, parseRetryAfterMs } from './transports/http/http-errors.js';
import { SanitizeLog } from './rate-limited-logs.js';
import { UnexpectedMessageLog } from './noise-log-part.js';
import {
  type ConnectOptions,
  type McpSession,
  type ServerIdentity,
  type SessionCallOptions,
  type SessionEvent,
  SIMULATED_CAPABILITY,
  type ToolCallResult,
  type ToolInfo,
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
  /** Somebody else's: we are told of their calls. */
  readonly isTapped: boolean;
  readonly options: ConnectOptions;
}

/** For a server to take note that we are leaving. */
const GOODBYE_MS = 1_000;

/** Of an error, which is often the server's own text. */
const MAX_MESSAGE_LENGTH = 1_000;
/** Of names, versions and methods. */
const MAX_NAME_LENGTH = 256;
const MAX_CAPABILITIES = 64;

const ANYTHING = z.unknown();

/** The client's own timers do not know whether this process was stalled: deadlines are kept here. */
const NO_TIMEOUT = 2 ** 31 - 1;

/** A session over the official client. */
export class SdkSession implements McpSession {
  readonly closed: Promise<Error | null>;
  readonly #parts: SessionParts;
  readonly #noise: UnexpectedMessageLog;
  readonly #changes: SanitizeLog;
  readonly #pushes = new Emitter<SessionEvent>();
  #resolveClosed: (reason: Error | null) => void = () => undefined;
  #identity: ServerIdentity = { name: 'unknown', version: null, simulated: false };
  #tools: readonly ToolInfo[] = [];
  #isOpen = false;
  #toolsAreStale = false;
  #isListing = false;
  #hasEnded = false;
  #endedBy: SessionClosedError | null = null;
  #pendingClose: Promise<void> | null = null;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    const { client, opened, options } = parts;
    this.#noise = new UnexpectedMessageLog(options.clock, options.logger, options.serverId);
    this.#changes = new SanitizeLog(options.clock, options.logger, options.serverId);
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    client.onclose = () => {
      const { reason, isOrderly } = opened.end() ?? { reason: 'the server ended the session', isOrderly: false };
      this.#end(new SessionClosedError(`${reason}${opened.diagnosticTail()}`, isOrderly));
    };
    client.onerror = (error) => this.#received(error);
    client.setNotificationHandler('notifications/tools/list_changed', () => this.#listAgain());
    client.fallbackNotificationHandler = async ({ method, params }) => {
      if (this.#hasEnded) return;
      const { isTapped } = parts;
      this.#pushes.emit(
        parseSessionEvent(method, params, { isTapped, onChanges: (changes) => this.#changes.record(changes) }),
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

  /** The handshake, then the tools. */
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
        .map((one) => toPrintableLine(one, MAX_NAME_LENGTH)),
    };
    if (capabilities?.tools !== undefined) this.#tools = await listTools(client, { signal, timeout: NO_TIMEOUT });
    this.#isOpen = true;
    if (this.#toolsAreStale) await this.#listAgain();
  }

  async callTool(
    name: string,
    args: Readonly<Record<string, unknown>>,
    options: SessionCallOptions,
  ): Promise<ToolCallResult> {
    const { client, scratch } = this.#parts;
    const request = { method: 'tools/call', params: { name, arguments: args } };
    return this.#request(`tool "${name}"`, options, (inTime) => {
      const call = async (): Promise<ToolCallResult> =>
        decodeToolResult(await client.request(request, toolResultSchema, inTime), (changes) =>
          this.#changes.record(changes),
        );
      return scratch === null ? call() : scratch.run(call);
    });
  }

  async ping(options: SessionCallOptions): Promise<void> {
    try {
      await this.#request('ping', options, (inTime) =>
        this.#parts.client.request({ method: 'ping' }, ANYTHING, inTime),
      );
    } catch (error) {
      if (!(error instanceof ToolRejectedError)) throw error;
    }
  }

  onEvent(callback: (push: SessionEvent) => void): Disposable {
    return this.#pushes.add(callback);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pendingClose ??= this.#close();
    await this.#pendingClose;
  }

  async #request<T>(
    what: string,
    { signal, timeoutMs }: SessionCallOptions,
    call: (inTime: { signal: AbortSignal; timeout: number }) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    if (this.#hasEnded) throw this.#whyEnded();
    const ending = new AbortController();
    const timedOut = new ToolCallTimeoutError(`${what} did not answer within ${timeoutMs} ms`);
    using _deadline = scheduleDeadline(this.#parts.options.clock, timeoutMs, () => ending.abort(timedOut));
    const abort = (): void => ending.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await call({ signal: ending.signal, timeout: NO_TIMEOUT });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof HttpStatusError && error.isSessionLost)
        this.#lost('the server does not know the session any more');
      throw ending.signal.aborted ? (this.#endedBy ?? timedOut) : this.#translated(error);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  async #close(): Promise<void> {
    const { client, opened, scratch, options } = this.#parts;
    if (!this.#hasEnded && this.#isOpen) await this.#sayGoodbye();
    this.#end(null);
    await client.close().catch(() => undefined);
    // After a handshake that failed the client does not know its transport any more.
    await opened.transport.close().catch(() => undefined);
    await scratch?.[Symbol.asyncDispose]().catch((error: unknown) => {
      options.logger.debug(
        { serverId: options.serverId, error: errorMessage(error) },
        'scratch directory was not removed',
      );
    });
  }

  async #sayGoodbye(): Promise<void> {
    const { opened, options } = this.#parts;
    let timer: Disposable | undefined;
    const waited = new Promise<void>((resolve) => (timer = options.clock.schedule(GOODBYE_MS, resolve)));
    await Promise.race([opened.terminateSession().catch(() => undefined), waited]);
    timer?.[Symbol.dispose]();
  }

  #end(reason: SessionClosedError | null): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#endedBy = reason;
    this.#resolveClosed(reason);
  }

  /** Ended by what came over the transport, not by the transport itself. */
  #lost(reason: string): void {
    if (this.#hasEnded) return;
    this.#end(new SessionClosedError(reason));
    this.#parts.client.close().catch(() => undefined);
  }

  #whyEnded(): SessionClosedError {
    return this.#endedBy ?? new SessionClosedError('the session was closed');
  }

  async #listAgain(): Promise<void> {
    this.#toolsAreStale = true;
    if (!this.#isOpen || this.#isListing) return;
    const { client, options } = this.#parts;
    this.#isListing = true;
    try {
      // What changes while they are listed is listed once more.
      while (this.#toolsAreStale && !this.#hasEnded) {
        this.#toolsAreStale = false;
        this.#tools = await listTools(client, { timeout: options.connectTimeoutMs });
        options.onToolsChanged?.();
      }
    } catch (error) {
      options.logger.debug(
        { serverId: options.serverId, error: rootCauseMessage(error) },
        'tools could not be listed again',
      );
    } finally {
      this.#isListing = false;
    }
  }

  #translated(error: unknown): Error {
    if (this.#hasEnded) return this.#whyEnded();
    if (error instanceof ToolRejectedError) return error;
    if (error instanceof ProtocolError)
      return new ToolRejectedError(
        toPrintableLine(error.message, MAX_MESSAGE_LENGTH),
        error.code,
        parseRetryAfterMs(error.data),
      );
    return new TransportError(rootCauseMessage(error), { cause: error });
  }

  #received(error: Error): void {
    // What has a cause or a status was a call's, and is told to whoever made that.
    if (this.#hasEnded || error instanceof HttpStatusError || error instanceof ToolRejectedError || error.cause != null)
      return;
    this.#noise.record(error);
    // Its stream would come back as another session, which the server does not know.
    if (error instanceof SseError && this.#isOpen) this.#lost('the event stream broke off');
  }
}

/** `fetch failed` says nothing; what caused it does. Much of it may be the server's own text. */
export function rootCauseMessage(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const message = errorMessage(cause);
  // Several addresses were tried: the error of all of them has a code only.
  const words = message === '' && cause instanceof Error && 'code' in cause ? String(cause.code) : message;
  return toPrintableLine(words, MAX_MESSAGE_LENGTH);
}
