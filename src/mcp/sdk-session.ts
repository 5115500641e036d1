import { type Client, ProtocolError, SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { messageOf } from '../shared/index.js';
import { SessionClosedError, ToolCallTimeoutError, ToolRejectedError, TransportError } from './errors.js';
import type { ConnectOptions } from './options.js';
import type { ScratchDirectory } from './scratch.js';
import {
  type McpSession,
  type ServerIdentity,
  type SessionCallOptions,
  SIMULATED_CAPABILITY,
  type ToolAnswer,
  type ToolInfo,
} from './session.js';
import type { OpenedTransport } from './transport.js';

interface Parts {
  readonly client: Client;
  readonly opened: OpenedTransport;
  readonly scratch: ScratchDirectory | null;
  readonly options: ConnectOptions;
}

/** Pages of a list of tools; a server that has more is not telling the truth. */
const MAX_TOOL_PAGES = 50;
/** Between two log lines about what a server writes that is not MCP. */
const NOISE_LOG_MS = 60_000;

/** Only what is needed, so that results that are off the standard elsewhere still pass. */
const TOOL_PAGE = z.object({
  tools: z.array(z.object({ name: z.string(), description: z.string().nullish() })),
  nextCursor: z.string().nullish(),
});
const TOOL_RESULT = z.object({
  content: z.array(z.object({ type: z.string(), text: z.string().nullish() })).nullish(),
  structuredContent: z.unknown().optional(),
  isError: z.boolean().nullish(),
});
const RETRY_AFTER = z.object({ retryAfter: z.number().min(0) });

/** A session over the official client. */
export class SdkSession implements McpSession {
  readonly closed: Promise<Error | null>;
  readonly #parts: Parts;
  readonly #ended = new AbortController();
  #end: (reason: Error | null) => void = () => undefined;
  #identity: ServerIdentity = { name: 'unknown', version: null, simulated: false };
  #tools: readonly ToolInfo[] = [];
  #closing: Promise<void> | null = null;
  #endedBy: Error | null = null;
  #noise = 0;
  #noiseLoggedAtMs = -Infinity;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { client } = parts;
    this.closed = new Promise((resolve) => {
      this.#end = (reason) => {
        this.#endedBy ??= reason;
        this.#ended.abort();
        resolve(this.#endedBy);
      };
    });
    client.onclose = () => this.#end(this.#closing === null ? new SessionClosedError(this.#lastWords()) : null);
    client.onerror = (error) => this.#heardNoise(error);
    client.fallbackNotificationHandler = () => Promise.resolve();
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

  /** The handshake, then the tools. Rejects as soon as `signal` is aborted. */
  async open(signal: AbortSignal): Promise<void> {
    const { client, opened, options } = this.#parts;
    const timeout = options.connectTimeoutMs;
    await heeding(signal, client.connect(opened.transport, { signal, timeout }));
    const server = client.getServerVersion();
    const capabilities = client.getServerCapabilities();
    this.#identity = {
      name: server?.name ?? 'unknown',
      version: server?.version ?? null,
      simulated: capabilities?.experimental?.[SIMULATED_CAPABILITY] !== undefined,
    };
    if (capabilities?.tools === undefined) return;
    client.setNotificationHandler('notifications/tools/list_changed', () => this.#relist());
    this.#tools = await heeding(signal, this.#listTools(signal, timeout));
  }

  async callTool(
    name: string,
    args: Readonly<Record<string, unknown>>,
    options: SessionCallOptions,
  ): Promise<ToolAnswer> {
    options.signal.throwIfAborted();
    const { client, scratch } = this.#parts;
    const signal = AbortSignal.any([options.signal, this.#ended.signal]);
    const call = async (): Promise<ToolAnswer> => {
      const request = { method: 'tools/call', params: { name, arguments: args } };
      return decode(await client.request(request, TOOL_RESULT, { signal, timeout: options.timeoutMs }));
    };
    try {
      return await (scratch === null ? call() : scratch.during(call));
    } catch (error) {
      options.signal.throwIfAborted();
      throw this.#translated(error, name, options.timeoutMs);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    const { client, opened, scratch } = this.#parts;
    this.#ended.abort();
    await client.close().catch(() => undefined);
    // After a handshake that failed the client does not know its transport any more.
    await opened.transport.close().catch(() => undefined);
    this.#end(null);
    await scratch?.[Symbol.asyncDispose]();
  }

  async #relist(): Promise<void> {
    const { options } = this.#parts;
    try {
      this.#tools = await this.#listTools(this.#ended.signal, options.connectTimeoutMs);
      options.onToolsChanged?.();
    } catch (error) {
      options.logger.debug({ serverId: options.serverId, error: messageOf(error) }, 'tools could not be listed again');
    }
  }

  async #listTools(signal: AbortSignal, timeout: number): Promise<readonly ToolInfo[]> {
    const tools: ToolInfo[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < MAX_TOOL_PAGES; page += 1) {
      const params: Record<string, unknown> = cursor === null ? {} : { cursor };
      const answer: z.infer<typeof TOOL_PAGE> = await this.#parts.client.request(
        { method: 'tools/list', params },
        TOOL_PAGE,
        { signal, timeout },
      );
      tools.push(...answer.tools.map(({ name, description }) => ({ name, description: description ?? null })));
      cursor = answer.nextCursor ?? null;
      if (cursor === null) return tools;
    }
    throw new TransportError(`its list of tools does not end after ${MAX_TOOL_PAGES} pages`);
  }

  #translated(error: unknown, tool: string, timeoutMs: number): Error {
    if (this.#ended.signal.aborted) return this.#endedBy ?? new SessionClosedError('the session was closed');
    if (error instanceof ProtocolError) {
      const data = RETRY_AFTER.safeParse(error.data);
      return new ToolRejectedError(error.message, error.code, data.success ? data.data.retryAfter * 1000 : null);
    }
    if (error instanceof SdkHttpError && error.status === 404) {
      // The server was started anew and has forgotten the session; the protocol asks for another handshake.
      const forgotten = new SessionClosedError('the server no longer knows the session');
      this.#end(forgotten);
      return forgotten;
    }
    if (error instanceof SdkHttpError && error.status === 429) {
      return new ToolRejectedError(error.message, error.status, DEFAULT_PAUSE_MS);
    }
    if (error instanceof SdkError) {
      if (error.code === SdkErrorCode.RequestTimeout) {
        return new ToolCallTimeoutError(`tool "${tool}" did not answer within ${timeoutMs} ms`);
      }
      if (error.code === SdkErrorCode.ConnectionClosed || error.code === SdkErrorCode.NotConnected) {
        return new SessionClosedError(this.#lastWords());
      }
      if (error.code === SdkErrorCode.InvalidResult) {
        return new ToolRejectedError(`its answer is no tool result: ${error.message}`, INVALID_RESULT);
      }
    }
    return new TransportError(messageOf(error), { cause: error });
  }

  #heardNoise(error: Error): void {
    const { clock, logger, serverId } = this.#parts.options;
    this.#noise += 1;
    const nowMs = clock.monotonic();
    if (nowMs - this.#noiseLoggedAtMs < NOISE_LOG_MS) return;
    this.#noiseLoggedAtMs = nowMs;
    logger.debug({ serverId, count: this.#noise, last: error.message.slice(0, 200) }, 'server wrote what is not MCP');
  }

  #lastWords(): string {
    const words = this.#parts.opened.lastWords();
    return words === '' ? 'the server ended the session' : `the server ended the session (it wrote: ${words})`;
  }
}

/** The pause after an HTTP 429 that does not say how long. */
const DEFAULT_PAUSE_MS = 1_000;
/** JSON-RPC's "internal error": an answer that is none. */
const INVALID_RESULT = -32603;

function decode({ content, structuredContent, isError }: z.infer<typeof TOOL_RESULT>): ToolAnswer {
  if (structuredContent !== undefined && structuredContent !== null) {
    return { isError: isError === true, value: structuredContent };
  }
  const text = content?.find((block) => typeof block.text === 'string')?.text ?? null;
  return { isError: isError === true, value: text === null ? null : parseJson(text) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Rejects with the signal's reason as soon as it is aborted, whether or not the promise heeds it. */
async function heeding<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const left = new AbortController();
  const aborted = new Promise<never>((_resolve, reject) => {
    const onAbort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true, signal: left.signal });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    left.abort();
  }
}
