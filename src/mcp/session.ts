import type { Clock } from '../shared/index.js';
import type { Logger } from '../telemetry/index.js';

/** One live MCP connection, initialised, whatever its transport. */
export interface McpSession extends AsyncDisposable {
  readonly identity: ServerIdentity;
  /** As listed after the handshake, all pages; changes when the server says that they changed. */
  readonly tools: readonly ToolInfo[];
  /** Of the child process; `null` where there is none. */
  readonly pid: number | null;
  /** Resolves once, when the session has ended for whatever reason; never rejects. `null`: we closed it, else a SessionClosedError. */
  readonly closed: Promise<Error | null>;
  /**
   * Calls a tool once, with no retry.
   * @throws ToolRejectedError the server answered with a JSON-RPC error: it is alive
   * @throws ToolCallTimeoutError no answer within `timeoutMs`
   * @throws SessionClosedError the session has ended
   * @throws TransportError anything else between us and the server
   * @throws the signal's reason, when `signal` was aborted
   */
  callTool(name: string, args: Readonly<Record<string, unknown>>, options: SessionCallOptions): Promise<ToolCallResult>;
  /**
   * Asks whether anyone is there. A refusal is an answer too: not every server knows `ping`.
   * @throws as `callTool`, but for ToolRejectedError
   */
  ping(options: SessionCallOptions): Promise<void>;
  /** Calls back for each thing that is told unasked; dispose to stop. */
  onEvent(callback: (push: SessionEvent) => void): Disposable;
}

/** Something that a server told unasked, or that was seen on a session which we share with somebody. */
export type SessionEvent =
  | { readonly kind: 'NOTIFICATION'; readonly method: string; readonly params: unknown }
  | {
      /** Somebody else's call of a tool, and what it was answered. */
      readonly kind: 'CALL';
      readonly tool: string;
      readonly args: Readonly<Record<string, unknown>>;
      readonly answer: ToolCallResult;
    };

export interface SessionCallOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** What the server says of itself in the handshake. */
export interface ServerIdentity {
  readonly name: string;
  readonly version: string | null;
  /** A swarmlens simulator says so in its experimental capabilities. */
  readonly simulated: boolean;
  /** Names of what it says that it can do: tools, resources, prompts, … */
  readonly capabilities?: readonly string[];
}

export interface ToolInfo {
  readonly name: string;
  readonly description: string | null;
}

/** A tool's answer. Real servers put JSON into a text block, and report failures as ordinary answers. */
export interface ToolCallResult {
  /** `isError` of the MCP result. */
  readonly isError: boolean;
  /** The structured content, or the first text block parsed as JSON, or that text when it is not JSON; else `null`. */
  readonly value: unknown;
}

/** The name under `capabilities.experimental` by which a simulator says that it is one. */
export const SIMULATED_CAPABILITY = 'swarmlens/simulated';

export interface ConnectOptions {
  readonly serverId: string;
  /** Aborted: the attempt is given up, and what it had opened is closed. */
  readonly signal: AbortSignal;
  /** Of starting, greeting and asking for the tools, together. */
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Start a stdio server outside the project that it is asked about; for claude-flow, see `ScratchDirectory`. */
  readonly useScratchDirectory?: boolean;
  /** Called back after `tools` has changed. */
  readonly onToolsChanged?: () => void;
}
