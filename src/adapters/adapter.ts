import type { McpServerType, ServerReport } from '../model/index.js';
import type { SessionEvent } from '../mcp/index.js';
import type { Clock, Logger } from '../shared/index.js';
import type { ServerMapping } from './server-mapping.js';

/** Part of a result: its data, as JSON if there is any, or its whole text. */
export type AnswerPart = 'data' | 'text';

/** Calls the tools of one server through its guard. */
export interface ToolCaller {
  /**
   * Calls a tool and returns its decoded result: JSON, or text if the server sent no JSON.
   * @param part part of the result that is returned. @default 'data'
   * @throws ToolRejectedError if the server answers with a JSON-RPC error or a result marked `isError`
   * @throws any other error if the server cannot be reached
   */
  callTool(
    name: string,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    part?: AnswerPart,
  ): Promise<unknown>;
  /**
   * Reads a resource and returns its decoded contents, like the result of a tool.
   * @throws the same errors as `callTool`
   */
  readResource(uri: string, signal: AbortSignal, part?: AnswerPart): Promise<unknown>;
  /** Runs the processing of a result, whose duration counts towards the server's share of the event loop. */
  process?<T>(work: () => T): T;
  /** Reports that the last result of a tool was unusable, because servers report failures in ordinary results. */
  markUnusable?(name: string, message: string): void;
}

/** Server of an adapter and the collaborators of the adapter. */
export interface AdapterContext {
  readonly serverId: string;
  /** Names of the tools of the server. */
  readonly tools: ReadonlySet<string>;
  /** Whether the server offers resources. @default false */
  readonly hasResources?: boolean;
  /** Mapping of a server of type `CUSTOM`. Without a mapping, such a server has no agents. */
  readonly mapping?: ServerMapping | undefined;
  readonly caller: ToolCaller;
  /** Whether the server is a simulator of swarmlens. @default false */
  readonly simulated?: boolean;
  /** Absolute path of the directory in which the server keeps its state. Null if it is not on this machine. @default null */
  readonly projectDirectory?: string | null;
  /** Maximum number of entries of one list that are read. */
  readonly maxEntries: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Translates the tool responses of one server type into reports. Keeps state between polls, but holds no resources.
 */
export interface Adapter {
  /** Type of the server. */
  readonly type: McpServerType;
  /** Types that the server's agents can have. A `serverTypes` filter with any of them creates demand for the server. */
  readonly agentServerTypes: readonly McpServerType[];
  /** Number of malformed values and entries that were omitted. */
  readonly rejectedCount: number;
  /** Tool, path and reason of the last omission, without the value. Null if nothing was omitted. */
  readonly lastRejection: string | null;
  /**
   * Calls all tools that are due and reports the result. A tool that fails is listed in the report's `failures`.
   * @throws if the server cannot be reached
   */
  poll(signal: AbortSignal): Promise<ServerReport>;
  /** Applies a notification or observed call. Returns the new report, or null if nothing changed. */
  observe(event: SessionEvent): ServerReport | null;
}
