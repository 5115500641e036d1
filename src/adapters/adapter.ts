import type { McpServerType, ServerReport } from '../model/index.js';
import type { SessionEvent } from '../mcp/index.js';
import type { Clock, Logger } from '../shared/index.js';
import type { ServerMapping } from './server-mapping.js';

/** Calls one tool of the adapter's server, through its guard. Resolves with the answer's decoded value. */
export interface ToolCaller {
  /**
   * @returns the decoded answer: JSON, or text where the server sent no JSON
   * @throws ToolRejectedError when the server refused the call (a JSON-RPC error, or a result marked `isError`)
   * @throws any other error when the server could not be asked at all
   */
  callTool(name: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<unknown>;
  /** Says that the last answer of a tool was no use: servers report failures as ordinary answers. */
  markUnusable?(name: string, message: string): void;
}

export interface AdapterContext {
  readonly serverId: string;
  /** Names of the tools that the server offers. */
  readonly tools: ReadonlySet<string>;
  /** Of a server of type `CUSTOM`; without one it has no agents. */
  readonly mapping?: ServerMapping | undefined;
  readonly caller: ToolCaller;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Turns one kind of server's tools into reports. Holds what it must remember from poll to poll; opens nothing. */
export interface Adapter {
  /** The server's own family. */
  readonly type: McpServerType;
  /** The families that its agents can belong to: what a `serverTypes` filter must name for its polls to be wanted. */
  readonly agentServerTypes: readonly McpServerType[];
  /** Reported things that were malformed and left out, since the adapter was made. */
  readonly rejectedCount: number;
  /** The last of them: tool, path and reason, without its value. */
  readonly lastRejection: string | null;
  /**
   * Asks the server for all that is due.
   * @throws when the server could not be asked at all; a tool that merely fails is one of the report's `failures`
   */
  poll(signal: AbortSignal): Promise<ServerReport>;
  /**
   * Takes in what was told unasked.
   * @returns what is known now; `null`: nothing was learned that a report could say
   */
  observe(push: SessionEvent): ServerReport | null;
}
