import type { ToolHealth } from '../../model/index.js';
import { LatencyWindow } from '../guard/latency-window.js';
import { toPrintableLine } from '../../shared/sanitize/index.js';
import { type ToolCallResult, ToolCallTimeoutError, ToolRejectedError } from '../../mcp/index.js';
import { wasNotSent } from './errors.js';
import { type Clock, errorMessage, type ToolCallOutcome } from '../../shared/index.js';

/** Tools of one server of which figures are kept; the one that was called the longest ago makes room. */
const MAX_TOOLS = 64;
const LATENCY_WINDOW_MS = 60_000;
const MAX_LATENCIES = 256;
/** A failure's message is the server's own text. */
const MAX_MESSAGE_LENGTH = 300;

interface ToolCounters {
  readonly latencies: LatencyWindow;
  calls: number;
  failures: number;
  consecutiveFailures: number;
  /** What `consecutiveFailures` was before the last call. */
  failuresBefore: number;
  lastError: string | null;
  lastFailedAt: string | null;
}

/** Counts how the calls of each tool of a server go. */
export class ToolStats {
  readonly #clock: Clock;
  readonly #onCall: (tool: string, outcome: ToolCallOutcome, durationMs: number) => void;
  readonly #statsByTool = new Map<string, ToolCounters>();

  /** @param onCall told of each call that has ended but was not given up, those that were not sent included */
  constructor(
    clock: Clock,
    onCall: (tool: string, outcome: ToolCallOutcome, durationMs: number) => void = () => undefined,
  ) {
    this.#clock = clock;
    this.#onCall = onCall;
  }

  /** Makes a call and takes down how it went. What the server was not asked, or asked to put off, does not count. */
  async record(tool: string, call: () => Promise<ToolCallResult>, signal: AbortSignal): Promise<ToolCallResult> {
    const startMs = this.#clock.monotonic();
    try {
      const answer = await call();
      const tally = this.#tallyOf(tool);
      const durationMs = this.#clock.monotonic() - startMs;
      tally.latencies.add(durationMs);
      this.#onCall(tool, answer.isError ? 'error' : 'ok', durationMs);
      if (answer.isError) this.#failed(tally, toText(answer.value));
      else tally.consecutiveFailures = 0;
      return answer;
    } catch (error) {
      if (!signal.aborted) this.#onCall(tool, outcomeOf(error), this.#clock.monotonic() - startMs);
      const isBusy = error instanceof ToolRejectedError && error.retryAfterMs !== null;
      if (!wasNotSent(error) && !isBusy && !signal.aborted) this.#failed(this.#tallyOf(tool), errorMessage(error));
      throw error;
    }
  }

  /** The last answer of a tool, which looked like any other, was no use. */
  markUnusable(tool: string, message: string): void {
    const tally = this.#statsByTool.get(tool);
    if (tally === undefined) return;
    tally.consecutiveFailures = tally.failuresBefore;
    this.#failed(tally, message);
  }

  toHealth(): ToolHealth[] {
    return [...this.#statsByTool]
      .map(([name, { calls, failures, consecutiveFailures, lastError, lastFailedAt, latencies }]) => {
        return {
          name,
          calls,
          failures,
          consecutiveFailures,
          lastError,
          lastFailedAt,
          latency: latencies.percentiles(),
        };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** With one more call. */
  #tallyOf(tool: string): ToolCounters {
    const tally = this.#statsByTool.get(tool) ?? {
      latencies: new LatencyWindow(this.#clock, LATENCY_WINDOW_MS, MAX_LATENCIES),
      calls: 0,
      failures: 0,
      consecutiveFailures: 0,
      failuresBefore: 0,
      lastError: null,
      lastFailedAt: null,
    };
    tally.calls += 1;
    tally.failuresBefore = tally.consecutiveFailures;
    this.#statsByTool.delete(tool);
    this.#statsByTool.set(tool, tally);
    if (this.#statsByTool.size > MAX_TOOLS) {
      const [oldest] = this.#statsByTool.keys();
      if (oldest !== undefined) this.#statsByTool.delete(oldest);
    }
    return tally;
  }

  #failed(tally: ToolCounters, message: string): void {
    tally.failures += 1;
    tally.consecutiveFailures += 1;
    tally.lastError = toPrintableLine(message, MAX_MESSAGE_LENGTH);
    tally.lastFailedAt = new Date(this.#clock.now()).toISOString();
  }
}

function outcomeOf(error: unknown): ToolCallOutcome {
  if (wasNotSent(error)) return 'not_sent';
  if (error instanceof ToolRejectedError) return error.retryAfterMs === null ? 'error' : 'busy';
  return error instanceof ToolCallTimeoutError ? 'timeout' : 'failed';
}

/** What a tool's answer says, for a person. */
export function toText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
