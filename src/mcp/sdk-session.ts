import { ProtocolError, SseError } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { Emitter, errorMessage, scheduleDeadline, SIMULATED_CAPABILITY } from '../shared/index.js';
import { deriveGuardedSignal, type GuardedSignal } from './call-guard.js';
import { ChangeReaction } from './change-reaction.js';
import { ChangeWatch } from './change-watch.js';
import type { ConnectDeadline } from './connect-deadline.js';
import type { ProtocolEra } from './endpoint-memory.js';
import { SessionClosedError, ToolCallTimeoutError, ToolRejectedError, TransportError } from './errors.js';
import { GuardedClient } from './guarded-client.js';
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
import { decodeToolResult, type ToolResultMessage, toolResultSchema } from './tool-result.js';
import { listTools } from './tool-list.js';
import type { OpenedTransport } from './create-transport.js';

interface SessionParts {
  readonly opened: OpenedTransport;
  readonly scratch: ScratchDirectory | null;
  /** Whether the session belongs to another MCP client, whose calls are observed through a tap. */
  readonly isTapped: boolean;
  /** Whether the handshake may use `server/discover` instead of `initialize`. */
  readonly negotiates: boolean;
  readonly options: ConnectOptions;
}

/** Time limit for the message that ends the session on the server. */
const TERMINATE_TIMEOUT_MS = 1_000;

/** Longest error message in UTF-16 units. Most of it may be text of the server. */
const MAX_MESSAGE_LENGTH = 1_000;
/** Longest name or version in UTF-16 units. */
const MAX_NAME_LENGTH = 256;
const MAX_CAPABILITIES = 64;
/** Most notifications that are sanitized at the same time. Further ones are dropped; polls find what they report. */
const MAX_WAITING_EVENTS = 1_000;

const anyResultSchema = z.unknown();
/** Schema of the contents of a resource. They are decoded like the blocks of a tool result. */
const resourceResultSchema = z.object({ contents: z.array(z.unknown()) });

/** MCP session on top of the official client. */
export class SdkSession implements McpSession {
  readonly closed: Promise<Error | null>;
  readonly #parts: SessionParts;
  readonly #client: GuardedClient;
  /** Aborted when the session ends. */
  readonly #lifetime = new AbortController();
  readonly #unexpectedMessages: UnexpectedMessageLog;
  readonly #sanitizeLog: SanitizeLog;
  readonly #sessionEvents = new Emitter<SessionEvent>();
  /** Events that arrived before the first listener. Null afterwards. */
  #earlyEvents: SessionEvent[] | null = [];
  #resolveClosed: (reason: Error | null) => void = () => undefined;
  #identity: ServerIdentity = { name: 'unknown', version: null, simulated: false };
  #tools: readonly ToolInfo[] = [];
  readonly #toolsReaction: ChangeReaction;
  #watch: ChangeWatch | null = null;
  #isOpen = false;
  #toolsAreStale = false;
  #hasEnded = false;
  #closedBy: SessionClosedError | null = null;
  #pendingClose: Promise<void> | null = null;
  #waitingEvents = 0;
  /** Resolves when the events of all earlier notifications have been emitted. */
  #lastEvent: Promise<void> = Promise.resolve();

  constructor(parts: SessionParts) {
    this.#parts = parts;
    const { opened, options } = parts;
    this.#unexpectedMessages = new UnexpectedMessageLog(options.clock, options.logger, options.serverId);
    this.#sanitizeLog = new SanitizeLog(options.clock, options.logger, options.serverId);
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    const { clock, logger, serverId } = options;
    this.#toolsReaction = new ChangeReaction({
      clock,
      signal: this.#lifetime.signal,
      react: () =>
        options.guard.call((guarded) => this.#listAgain(guarded), { signal: this.#lifetime.signal, idempotent: true }),
      onFailure: (error) => {
        logger.debug({ serverId, error: rootCauseMessage(error) }, 'could not refresh tools');
        return true;
      },
    });
    opened.transport.onProbeError = (error) => this.#handleClientError(error);
    this.#client = new GuardedClient({
      onClose: () => {
        const { reason, isOrderly } = opened.end() ?? { reason: 'the server closed the session', isOrderly: false };
        this.#end(new SessionClosedError(`${reason}${opened.diagnosticTail()}`, isOrderly));
      },
      onError: (error) => this.#handleClientError(error),
      onToolsChanged: () => {
        if (this.#isOpen) this.#toolsReaction.trigger();
        else this.#toolsAreStale = true;
      },
      onNotification: (method, params) => this.#handleNotification(method, params),
    });
  }

  get identity(): ServerIdentity {
    return this.#identity;
  }

  get tools(): readonly ToolInfo[] {
    return this.#tools;
  }

  /** Era of the negotiated protocol version. Null before the handshake. */
  get era(): ProtocolEra | null {
    return this.#client.era;
  }

  get pid(): number | null {
    return this.#parts.opened.pid();
  }

  /** Performs the handshake and lists the tools. */
  async open(deadline: ConnectDeadline): Promise<void> {
    const { opened, negotiates } = this.#parts;
    await this.#handshake(deadline, false, (signal) => this.#client.connect(opened.transport, signal, negotiates));
    const { server, capabilities } = this.#client;
    this.#identity = {
      name: toPrintableLine(server?.name ?? '', MAX_NAME_LENGTH) || 'unknown',
      version: toPrintableLine(server?.version ?? '', MAX_NAME_LENGTH) || null,
      simulated: capabilities?.experimental?.[SIMULATED_CAPABILITY] !== undefined,
      capabilities: Object.keys(capabilities ?? {})
        .slice(0, MAX_CAPABILITIES)
        .map((capability) => toPrintableLine(capability, MAX_NAME_LENGTH)),
    };
    if (capabilities?.tools !== undefined) {
      this.#tools = await this.#handshake(deadline, true, (signal) => listTools(this.#client, signal));
    }
    this.#isOpen = true;
    // Tools that have changed during the handshake are listed as those that change later.
    if (this.#toolsAreStale) this.#toolsReaction.trigger();
    this.#startWatch();
  }

  async callTool(
    name: string,
    args: Readonly<Record<string, unknown>>,
    options: SessionCallOptions,
  ): Promise<ToolCallResult> {
    const request = { method: 'tools/call', params: { name, arguments: args } };
    return this.#call(`tool "${name}"`, options, async (signal) =>
      this.#client.request(request, toolResultSchema, signal),
    );
  }

  async readResource(uri: string, options: SessionCallOptions): Promise<ToolCallResult> {
    const request = { method: 'resources/read', params: { uri } };
    return this.#call(`resource "${uri}"`, options, async (signal) => {
      const { contents } = await this.#client.request(request, resourceResultSchema, signal);
      return { content: contents };
    });
  }

  async ping(options: SessionCallOptions): Promise<void> {
    try {
      await this.#request('ping', options, (signal) =>
        // MCP has no `ping` since 2026-07-28.
        this.#client.request({ method: this.era === 'MODERN' ? 'server/discover' : 'ping' }, anyResultSchema, signal),
      );
    } catch (error) {
      if (!(error instanceof ToolRejectedError)) throw error;
    }
  }

  onEvent(callback: (event: SessionEvent) => void): Disposable {
    const early = this.#earlyEvents ?? [];
    this.#earlyEvents = null;
    for (const event of early) callback(event);
    return this.#sessionEvents.add(callback);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pendingClose ??= this.#close();
    await this.#pendingClose;
  }

  /** Sends a request and decodes its result. */
  #call(
    label: string,
    options: SessionCallOptions,
    send: (signal: GuardedSignal) => Promise<ToolResultMessage>,
  ): Promise<ToolCallResult> {
    const { scratch } = this.#parts;
    return this.#request(label, options, (signal) => {
      const call = async (): Promise<ToolCallResult> =>
        decodeToolResult(await send(signal), (changes) => this.#sanitizeLog.record(changes));
      return scratch === null ? call() : scratch.run(call);
    });
  }

  async #request<T>(
    label: string,
    { signal, timeoutMs }: SessionCallOptions,
    call: (signal: GuardedSignal) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    if (this.#hasEnded) throw this.#closedError();
    const abortController = new AbortController();
    const timedOut = new ToolCallTimeoutError(`${label} did not answer within ${timeoutMs} ms`);
    using _deadline = scheduleDeadline(this.#parts.options.clock, timeoutMs, () => abortController.abort(timedOut));
    const abort = (): void => abortController.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await call(deriveGuardedSignal(signal, abortController));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof HttpStatusError && error.isSessionLost) this.#fail('the server no longer knows the session');
      throw abortController.signal.aborted ? (this.#closedBy ?? timedOut) : this.#toSessionError(error);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  async #close(): Promise<void> {
    const { opened, scratch, options } = this.#parts;
    if (!this.#hasEnded && this.#isOpen) await this.#terminateSession();
    this.#end(null);
    await this.#client.close().catch(() => undefined);
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
    this.#lifetime.abort(this.#closedError());
    this.#resolveClosed(reason);
  }

  /** Ends the session because of a message, while the transport is still open. */
  #fail(reason: string): void {
    if (this.#hasEnded) return;
    this.#end(new SessionClosedError(reason));
    this.#client.close().catch(() => undefined);
  }

  #closedError(): SessionClosedError {
    return this.#closedBy ?? new SessionClosedError('the session was closed');
  }

  /**
   * Runs a call of the handshake until its deadline. Some transports ignore the signal while they start, therefore the call
   * is not awaited beyond it.
   */
  async #handshake<T>(
    deadline: ConnectDeadline,
    idempotent: boolean,
    run: (signal: GuardedSignal) => Promise<T>,
  ): Promise<T> {
    const { guard, signal } = this.#parts.options;
    return guard.call(
      async (guarded) => {
        const abortController = new AbortController();
        const aborted = new Promise<never>((_resolve, reject) => {
          abortController.signal.addEventListener(
            'abort',
            () => reject(abortController.signal.reason as Error), // both aborts below have an error as reason
            { once: true },
          );
        });
        const signals = [guarded, deadline.signal];
        const abort = ({ target }: Event): void => abortController.abort((target as AbortSignal).reason); // only signals
        for (const each of signals) each.addEventListener('abort', abort, { once: true });
        if (deadline.signal.aborted) abortController.abort(deadline.signal.reason);
        try {
          return await Promise.race([run(deriveGuardedSignal(guarded, abortController)), aborted]);
        } finally {
          for (const each of signals) each.removeEventListener('abort', abort);
        }
      },
      { signal, idempotent, timeoutMs: deadline.maxRemainingMs, isHandshake: true },
    );
  }

  /** Subscribes to the changes of the server. A tapped session is that of another client, and stays unchanged. */
  #startWatch(): void {
    const { isTapped, options } = this.#parts;
    const { clock, logger, serverId, guard, watchesResources, connectTimeoutMs: timeoutMs } = options;
    if (isTapped || watchesResources === undefined) return;
    const { signal } = this.#lifetime;
    this.#watch = new ChangeWatch({
      client: this.#client,
      clock,
      signal,
      watchesResources: () => watchesResources(this),
      request: (label, call) =>
        guard.call((guarded) => this.#request(label, { signal: guarded, timeoutMs }, call), {
          signal,
          idempotent: false,
          isHandshake: true,
        }),
      // The resources may have changed before.
      onWatched: () => this.#handleNotification('notifications/resources/updated', {}),
      onFailure: (error) =>
        logger.debug({ serverId, error: rootCauseMessage(error) }, 'could not subscribe to changes'),
    });
    this.#watch.renew();
  }

  /** Lists the tools of the open session. A health probe may repeat it. */
  async #listAgain(signal: GuardedSignal): Promise<void> {
    const { options } = this.#parts;
    this.#tools = await this.#request('tools/list', { signal, timeoutMs: options.connectTimeoutMs }, (guarded) =>
      listTools(this.#client, guarded),
    );
    options.onToolsChanged?.();
  }

  /** Emits the events of notifications in the order of their arrival. */
  #handleNotification(method: string, params: unknown): void {
    if (this.#hasEnded) return;
    if (this.#waitingEvents >= MAX_WAITING_EVENTS) {
      this.#unexpectedMessages.record(new Error('too many notifications at once'));
      return;
    }
    if (method === 'notifications/resources/list_changed') this.#watch?.renew();
    this.#waitingEvents += 1;
    const { isTapped, options } = this.#parts;
    const event = parseSessionEvent(method, params, {
      isTapped,
      onChanges: (changes) => this.#sanitizeLog.record(changes),
    });
    this.#lastEvent = Promise.all([event, this.#lastEvent])
      .then(([parsed]) => {
        this.#waitingEvents -= 1;
        if (this.#hasEnded) return;
        if (this.#earlyEvents === null) this.#sessionEvents.emit(parsed);
        else if (this.#earlyEvents.length < MAX_WAITING_EVENTS) this.#earlyEvents.push(parsed);
        else this.#unexpectedMessages.record(new Error('too many notifications during the handshake'));
      })
      .catch((error: unknown) => {
        options.logger.error(
          { serverId: options.serverId, error: errorMessage(error) },
          'a listener of session events failed',
        );
      });
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
