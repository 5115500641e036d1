import type { ToolCaller } from '../adapters/index.js';
import type { Guard } from '../guard/index.js';
import { type McpSession, ToolRejectedError } from '../mcp/index.js';

/** The server is well and asks to be left alone for a while. */
export class ServerBusyError extends Error {
  override readonly name = 'ServerBusyError';
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** What an adapter calls tools through: the session, behind the guard. */
export class GuardedCaller implements ToolCaller {
  readonly #session: McpSession;
  readonly #guard: Guard;
  readonly #timeoutMs: number;

  constructor(session: McpSession, guard: Guard, timeoutMs: number) {
    this.#session = session;
    this.#guard = guard;
    this.#timeoutMs = timeoutMs;
  }

  async callTool(name: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<unknown> {
    try {
      const answer = await this.#guard.call(
        (guarded) => this.#session.callTool(name, args, { signal: guarded, timeoutMs: this.#timeoutMs }),
        { signal, idempotent: true },
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
}

/** JSON-RPC's "internal error": what an answer marked `isError` amounts to. */
const TOOL_ERROR = -32603;

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
