import type { ConnectionSnapshot } from './connection/connection-snapshot.js';
import type { TypedDocument } from './typed-document.js';
import type { PerformanceMode } from './generated/operations.js';
import type { SnapshotSource } from './snapshot-store.js';
import type {
  AgentFilters,
  AgentIncludes,
  AgentStream,
  HealthStreamOptions,
  HealthStream,
  MetricsStreamRequest,
  MetricsStream,
  NoticeStreamOptions,
  NoticeStream,
  StreamOptions,
  TopologyStreamRequest,
  TopologyStream,
} from './streams/stream-types.js';

/** The variables, which may be left out where none is needed, and the options of one operation. */
export type OperationArguments<TVariables> =
  Record<string, never> extends TVariables
    ? [variables?: TVariables, options?: StreamOptions]
    : [variables: TVariables, options?: StreamOptions];

/**
 * One connection to swarmlens and all that runs over it. It is made when something first needs it, comes back by itself,
 * and is kept until the client is disposed, which ends all of its streams and operations.
 */
export interface SwarmClient extends AsyncDisposable {
  readonly connection: SnapshotSource<ConnectionSnapshot>;

  /** The agents that match, kept up to date. @param mode how often it moves at most, NORMAL where it is left out */
  agents(filters?: AgentFilters, mode?: PerformanceMode, options?: AgentIncludes & StreamOptions): AgentStream;
  /** Swarms and edges, kept up to date. `agents()` has those between its agents too. */
  topology(request?: TopologyStreamRequest, options?: StreamOptions): TopologyStream;
  /** What agents do together. */
  metrics(request?: MetricsStreamRequest, options?: StreamOptions): MetricsStream;
  /** Servers, their breakers, replicas and tools, and the node that is asked. */
  health(options?: HealthStreamOptions): HealthStream;
  notices(options?: NoticeStreamOptions): NoticeStream;

  /**
   * Runs a typed query. It waits for the connection, and is asked again when that breaks before the answer.
   *
   * @throws OperationError the server refused it
   * @throws SwarmClientError the client was closed or gave up before the answer
   * @throws the reason of `signal`, when it is aborted
   * @throws TypeError the document is no query
   */
  query<TResult, TVariables extends Record<string, unknown>>(
    document: TypedDocument<TResult, TVariables>,
    ...rest: OperationArguments<TVariables>
  ): Promise<TResult>;

  /**
   * Runs a typed mutation. It waits for the connection, and is sent once.
   *
   * @throws OperationError the server refused it
   * @throws SwarmClientError the client was closed or gave up before the answer, or CONNECTION_LOST: it may have been done
   * @throws the reason of `signal`, when it is aborted
   * @throws TypeError the document is no mutation
   */
  mutate<TResult, TVariables extends Record<string, unknown>>(
    document: TypedDocument<TResult, TVariables>,
    ...rest: OperationArguments<TVariables>
  ): Promise<TResult>;

  /** Ends everything: resolves when the connection is closed. The same as `Symbol.asyncDispose`, which not every browser has. */
  dispose(): Promise<void>;
}
