import { type AnswerPart, countEntries, type ToolCaller } from '../../adapters/index.js';
import { type McpSession, type SessionCallOptions, type ToolCallResult, ToolRejectedError } from '../../mcp/index.js';
import { nextTurn } from '../../shared/index.js';
import type { LoopShare } from './loop-shares.js';
import type { PrimarySession, ReplicaPool } from './replica-pool.js';
import { toText, type ToolStats } from './tool-stats.js';

/** Thrown if a healthy server requests a pause before the next call. */
export class ServerBusyError extends Error {
  override readonly name = 'ServerBusyError';
  /** Requested pause in milliseconds. */
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** JSON-RPC error code "internal error", used for tool results marked with `isError`. */
const TOOL_ERROR_CODE = -32603;

/** Name of reads of resources in the statistics of the tools. */
const RESOURCE_METHOD = 'resources/read';

/** Number of entries of a result that is read in a turn of the event loop of its own. */
const LARGE_ENTRIES = 500;

/** Tool caller of an adapter. Routes its calls through the replica pool of the server. */
export class PooledToolCaller implements ToolCaller {
  readonly #pool: ReplicaPool;
  readonly #primary: PrimarySession;
  readonly #toolStats: ToolStats;
  readonly #timeoutMs: number;
  readonly #loopShare: Pick<LoopShare, 'measure'>;

  /**
   * @param primary Primary session that the adapter's cached responses belong to.
   * @param loopShare Counts the time that results take on the event loop.
   */
  constructor(
    pool: ReplicaPool,
    primary: PrimarySession,
    toolStats: ToolStats,
    timeoutMs: number,
    loopShare: Pick<LoopShare, 'measure'>,
  ) {
    this.#pool = pool;
    this.#primary = primary;
    this.#toolStats = toolStats;
    this.#timeoutMs = timeoutMs;
    this.#loopShare = loopShare;
  }

  callTool(
    name: string,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    part?: AnswerPart,
  ): Promise<unknown> {
    return this.#call(name, signal, part, (session, options) => session.callTool(name, args, options));
  }

  readResource(uri: string, signal: AbortSignal, part?: AnswerPart): Promise<unknown> {
    // One name for all resources, because URIs may contain ids.
    return this.#call(RESOURCE_METHOD, signal, part, (session, options) => session.readResource(uri, options));
  }

  async #call(
    name: string,
    signal: AbortSignal,
    part: AnswerPart | undefined,
    send: (session: McpSession, options: SessionCallOptions) => Promise<ToolCallResult>,
  ): Promise<unknown> {
    const call = { signal, idempotent: true, primary: this.#primary };
    try {
      const answer = await this.#toolStats.record(
        name,
        () =>
          this.#pool.call((session, guarded) => send(session, { signal: guarded, timeoutMs: this.#timeoutMs }), call),
        signal,
      );
      // The result has been parsed in this turn of the event loop.
      if (countEntries(answer.value) > LARGE_ENTRIES) await nextTurn();
      if (answer.isError) throw new ToolRejectedError(toText(answer.value), TOOL_ERROR_CODE);
      return part === 'text' ? textOf(answer) : answer.value;
    } catch (error) {
      if (error instanceof ToolRejectedError && error.retryAfterMs !== null) {
        throw new ServerBusyError(error.message, error.retryAfterMs);
      }
      throw error;
    }
  }

  process<T>(work: () => T): T {
    return this.#loopShare.measure(work);
  }

  markUnusable(name: string, message: string): void {
    this.#toolStats.markUnusable(name, message);
  }
}

/** Returns the whole text of a result. */
function textOf({ value, content = value }: ToolCallResult): unknown {
  // `isArray` narrows to a list of any.
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [];
  return blocks.length > 0 ? blocks.map(toText).join('\n') : content;
}
