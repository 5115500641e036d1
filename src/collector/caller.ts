import type { ToolCaller } from '../adapters/index.js';
import { ToolRejectedError } from '../mcp/index.js';
import type { Pool, Seat } from '../replicas/index.js';
import { textOf, type ToolTally } from './tool-tally.js';

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
export class PooledCaller implements ToolCaller {
  readonly #pool: Pool;
  readonly #seat: Seat;
  readonly #tally: ToolTally;
  readonly #timeoutMs: number;

  /** @param seat whose server the adapter knows */
  constructor(pool: Pool, seat: Seat, tally: ToolTally, timeoutMs: number) {
    this.#pool = pool;
    this.#seat = seat;
    this.#tally = tally;
    this.#timeoutMs = timeoutMs;
  }

  async callTool(name: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<unknown> {
    const call = { signal, idempotent: true, seat: this.#seat };
    try {
      const answer = await this.#tally.during(
        name,
        () =>
          this.#pool.call((session, guarded) => {
            return session.callTool(name, args, { signal: guarded, timeoutMs: this.#timeoutMs });
          }, call),
        signal,
      );
      if (answer.isError) throw new ToolRejectedError(textOf(answer.value), TOOL_ERROR);
      return answer.value;
    } catch (error) {
      if (error instanceof ToolRejectedError && error.retryAfterMs !== null) {
        throw new ServerBusyError(error.message, error.retryAfterMs);
      }
      throw error;
    }
  }

  unusable(name: string, message: string): void {
    this.#tally.unusable(name, message);
  }
}

/** JSON-RPC's "internal error": what an answer marked `isError` amounts to. */
const TOOL_ERROR = -32603;
