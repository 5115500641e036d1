import type { Clock, Logger } from '../shared/index.js';
import type { CallGuard, GuardedSignal } from './call-guard.js';
import type { EndpointMemory } from './endpoint-memory.js';

/** Initialized MCP connection, independent of its transport. */
export interface McpSession extends AsyncDisposable {
  readonly identity: ServerIdentity;
  /** All tools of the server. Listed after the handshake and again when the server reports a change. */
  readonly tools: readonly ToolInfo[];
  /** Id of the child process. Null if there is none. */
  readonly pid: number | null;
  /**
   * Resolves when the session has ended, with null if it was closed locally and with a SessionClosedError otherwise. Never
   * rejects.
   */
  readonly closed: Promise<Error | null>;
  /**
   * Calls a tool once, without retries.
   * @throws ToolRejectedError if the server answers with a JSON-RPC error
   * @throws ToolCallTimeoutError if the server does not answer within `timeoutMs`
   * @throws SessionClosedError if the session has ended
   * @throws TransportError if the transport fails otherwise
   * @throws the reason of `signal` if it is aborted
   */
  callTool(name: string, args: Readonly<Record<string, unknown>>, options: SessionCallOptions): Promise<ToolCallResult>;
  /**
   * Reads a resource once, without retries. The result is that of a tool whose content is the contents of the resource.
   * @throws the same errors as `callTool`
   */
  readResource(uri: string, options: SessionCallOptions): Promise<ToolCallResult>;
  /**
   * Checks whether the server answers. A JSON-RPC error counts as an answer, because some servers do not support `ping`.
   * @throws the same errors as `callTool`, except ToolRejectedError
   */
  ping(options: SessionCallOptions): Promise<void>;
  /** Registers a callback for every event. Dispose the result to unregister it. */
  onEvent(callback: (event: SessionEvent) => void): Disposable;
}

/** Notification of a server, or a call of another client observed through a tap. */
export type SessionEvent =
  | { readonly kind: 'NOTIFICATION'; readonly method: string; readonly params: unknown }
  | {
      /** Tool call of another client and its result. */
      readonly kind: 'CALL';
      readonly tool: string;
      readonly args: Readonly<Record<string, unknown>>;
      readonly answer: ToolCallResult;
    };

export interface SessionCallOptions {
  /** Signal of the guard that the call runs in. */
  readonly signal: GuardedSignal;
  readonly timeoutMs: number;
}

/** Identity of a server from its `initialize` result. */
export interface ServerIdentity {
  readonly name: string;
  readonly version: string | null;
  /** Whether the server is a swarmlens simulator, which announces itself in its experimental capabilities. */
  readonly simulated: boolean;
  /** Names of the announced capabilities: tools, resources, prompts, … */
  readonly capabilities?: readonly string[];
}

export interface ToolInfo {
  readonly name: string;
  readonly description: string | null;
}

/** Result of a tool call. Many servers put JSON into a text block and report failures as ordinary results. */
export interface ToolCallResult {
  /** `isError` of the MCP result. */
  readonly isError: boolean;
  /**
   * Data of the result: its structured content, or else the lists and objects in its texts. Several of them are one list. The
   * text itself if it contains no data. Null if there is neither.
   */
  readonly value: unknown;
  /** Content as clients see it: the whole text, or the list of all blocks. Omitted if `value` is the whole content. */
  readonly content?: unknown;
}

/** Options of `connectSession`. */
export interface ConnectOptions {
  readonly serverId: string;
  /** Cancels the attempt and closes everything it has opened. */
  readonly signal: AbortSignal;
  /** Time limit for starting the server, the handshake and listing the tools together, in milliseconds. */
  readonly connectTimeoutMs: number;
  /**
   * Time in milliseconds until which each output of a child process on its standard error starts `connectTimeoutMs` again. An
   * attempt with another protocol version or transport lasts at least `connectTimeoutMs`.
   * @default `connectTimeoutMs`
   */
  readonly maxConnectMs?: number;
  /** Guard of all calls to the endpoint. The handshake and the lists of tools run in it. */
  readonly guard: CallGuard;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether to run a stdio server in a temporary directory instead of its project: see `ScratchDirectory`. */
  readonly useScratchDirectory?: boolean;
  /** Findings of earlier attempts to connect to the endpoint, which this attempt uses and updates. @default none */
  readonly memory?: EndpointMemory;
  /**
   * Returns whether to watch the resources of a connected server. Their changes arrive as events. If it is omitted, nothing is
   * watched, not even the list of tools where the server requires a subscription for it.
   */
  readonly watchesResources?: (session: McpSession) => boolean;
  /** Called after `tools` has changed. */
  readonly onToolsChanged?: () => void;
}
