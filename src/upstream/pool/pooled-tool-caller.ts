import type { ToolCaller } from '../../adapters/index.js';
import { ToolRejectedError } from '../../mcp/index.js';
import type { ReplicaPool, PrimarySession } from './replica-pool.js';
import { toText, type ToolStats } from './tool-stats.js';

/** The server is well and asks to be left alone for a while. */
export class ServerBusyError extends Error {
  override readonly name = 'ServerBusyError';
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** What an adapter calls tools through: the replicas of its server, each behind its guard. */
export class PooledToolCaller implements ToolCaller {
  readonly #pool: ReplicaPool;
  readonly #seat: PrimarySession;
  readonly #toolStats: ToolStats;
  readonly #timeoutMs: number;

  /** @param seat whose server the adapter knows */
  constructor(pool: ReplicaPool, seat: PrimarySession, tally: ToolStats, timeoutMs: number) {
    this.#pool = pool;
    this.#seat = seat;
    this.#toolStats = tally;
    this.#timeoutMs = timeoutMs;
  }

  async callTool(name: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<unknown> {
    const call = { signal, idempotent: true, primary: this.#seat };
    try {
      const answer = await this.#toolStats.record(
        name,
        () =>
          this.#pool.call((session, guarded) => {
            return session.callTool(name, args, { signal: guarded, timeoutMs: this.#timeoutMs });
          }, call),
        signal,
      );
      if (answer.isError) throw new ToolRejectedError(toText(answer.value), TOOL_ERROR);
      return answer.value;
    } catch (error) {
      if (error instanceof ToolRejectedError && error.retryAfterMs !== null) {
        throw new ServerBusyError(error.message, error.retryAfterMs);
      }
      throw error;
    }
  }

  markUnusable(name: string, message: string): void {
    this.#toolStats.markUnusable(name, message);
  }
}

/** JSON-RPC's "internal error": what an answer marked `isError` amounts to. */
const TOOL_ERROR = -32603;
