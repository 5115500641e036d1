/// <reference lib="esnext.disposable" preserve="true" />
import type { ConnectionSnapshot } from './connection/connection-snapshot.js';
import type { PerformanceMode } from './generated/operations.js';
import type { SnapshotSource } from './snapshot-store.js';
import type {
  AgentFilters,
  AgentIncludes,
  AgentStream,
  HealthStream,
  HealthStreamOptions,
  MessageStream,
  MessageStreamRequest,
  MetricsStream,
  MetricsStreamRequest,
  NoticeStream,
  NoticeStreamOptions,
  StreamOptions,
  TaskStream,
  TaskStreamRequest,
  TopologyStream,
  TopologyStreamRequest,
} from './streams/stream-types.js';
import type { TypedDocument } from './typed-document.js';

/** Variables and options of one operation. Variables are optional if the document requires none. */
export type OperationArguments<TVariables> =
  Record<string, never> extends TVariables
    ? [variables?: TVariables, options?: StreamOptions]
    : [variables: TVariables, options?: StreamOptions];

/**
 * Client of one swarmlens server. All streams and operations share one connection. The client connects when it is first
 * used, reconnects after a failure, and stays connected until it is disposed.
 */
export interface SwarmClient extends AsyncDisposable {
  /** State of the connection. */
  readonly connection: SnapshotSource<ConnectionSnapshot>;

  /**
   * Creates a stream of agents.
   *
   * @param filters agents to include; all agents by default
   * @param mode maximum update rate, `NORMAL` (10 Hz) by default
   */
  agents(filters?: AgentFilters, mode?: PerformanceMode, options?: AgentIncludes & StreamOptions): AgentStream;
  /** Creates a stream of swarms and edges without agents. The stream of `agents()` contains both. */
  topology(request?: TopologyStreamRequest, options?: StreamOptions): TopologyStream;
  /** Creates a stream of tasks. */
  tasks(request?: TaskStreamRequest, options?: StreamOptions): TaskStream;
  /** Creates a stream of messages between agents. */
  messages(request?: MessageStreamRequest, options?: StreamOptions): MessageStream;
  /** Creates a stream of aggregated performance metrics. */
  metrics(request?: MetricsStreamRequest, options?: StreamOptions): MetricsStream;
  /** Creates a stream of the health of servers, circuit breakers, replicas, tools and the connected node. */
  health(options?: HealthStreamOptions): HealthStream;
  /** Creates a stream of notices. */
  notices(options?: NoticeStreamOptions): NoticeStream;

  /**
   * Changes the highest update rate of all streams, for example to what a page can render. Running streams continue at the
   * new rate, later connections start with it. Resolves when the server applies it, or at once while there is no connection.
   *
   * @param maxHz updates per second; null for no limit
   * @throws OperationError if the server rejects it
   * @throws TypeError if it is not above 0
   */
  setMaxHz(maxHz: number | null): Promise<void>;

  /**
   * Runs a typed query. Waits for the connection, and sends the query again if the connection breaks before the response.
   *
   * @throws OperationError if the server responds with errors
   * @throws SwarmClientError if the client closes before the response
   * @throws the reason of `signal` if it aborts
   * @throws TypeError if the document is not a query
   */
  query<TResult, TVariables extends Record<string, unknown>>(
    document: TypedDocument<TResult, TVariables>,
    ...rest: OperationArguments<TVariables>
  ): Promise<TResult>;

  /**
   * Runs a typed mutation. Waits for the connection, and sends the mutation only once.
   *
   * @throws OperationError if the server responds with errors
   * @throws SwarmClientError if the client closes before the response, or with code CONNECTION_LOST if the connection
   * breaks; the mutation may have been executed then
   * @throws the reason of `signal` if it aborts
   * @throws TypeError if the document is not a mutation
   */
  mutate<TResult, TVariables extends Record<string, unknown>>(
    document: TypedDocument<TResult, TVariables>,
    ...rest: OperationArguments<TVariables>
  ): Promise<TResult>;

  /**
   * Ends all streams and operations, and closes the connection. Resolves when the connection is closed. The same function
   * as `Symbol.asyncDispose`, for platforms that do not define that symbol.
   */
  dispose(): Promise<void>;
}
