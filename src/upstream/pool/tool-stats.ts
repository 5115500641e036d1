import { type ToolCallResult, ToolCallTimeoutError, ToolRejectedError } from '../../mcp/index.js';
import type { ToolHealth } from '../../model/index.js';
import { type Clock, errorMessage, isoTimestamp, type ToolCallOutcome } from '../../shared/index.js';
import { toPrintableLine } from '../../shared/sanitize/index.js';
import { LatencyWindow } from '../guard/latency-window.js';
import { wasNotSent } from './errors.js';

/** Maximum number of tools with statistics. The tool with the oldest call is dropped first. */
const MAX_TOOLS = 64;
const LATENCY_WINDOW_MS = 60_000;
const MAX_LATENCIES = 256;
/** Maximum length of a failure message, which contains text of the server. */
const MAX_MESSAGE_LENGTH = 300;

interface ToolCounters {
  readonly latencies: LatencyWindow;
  calls: number;
  failures: number;
  consecutiveFailures: number;
  /** Value of `consecutiveFailures` before the last call. */
  failuresBefore: number;
  lastError: string | null;
  lastFailedAt: string | null;
}

/** Counts calls, failures and latency of each tool of one server. */
export class ToolStats {
  readonly #clock: Clock;
  readonly #onCall: (tool: string, outcome: ToolCallOutcome, durationMs: number) => void;
  readonly #countersByTool = new Map<string, ToolCounters>();

  /** @param onCall Called after each call that was not aborted, including calls that were not sent. */
  constructor(
    clock: Clock,
    onCall: (tool: string, outcome: ToolCallOutcome, durationMs: number) => void = () => undefined,
  ) {
    this.#clock = clock;
    this.#onCall = onCall;
  }

  /** Runs a call and counts it, unless it was not sent, was aborted, or the server requested a pause. */
  async record(tool: string, call: () => Promise<ToolCallResult>, signal: AbortSignal): Promise<ToolCallResult> {
    const startMs = this.#clock.monotonic();
    try {
      const answer = await call();
      const counters = this.#countCall(tool);
      const durationMs = this.#clock.monotonic() - startMs;
      counters.latencies.add(durationMs);
      this.#onCall(tool, answer.isError ? 'error' : 'ok', durationMs);
      if (answer.isError) this.#countFailure(counters, toText(answer.value));
      else counters.consecutiveFailures = 0;
      return answer;
    } catch (error) {
      if (!signal.aborted) this.#onCall(tool, toOutcome(error), this.#clock.monotonic() - startMs);
      const isBusy = error instanceof ToolRejectedError && error.retryAfterMs !== null;
      if (!wasNotSent(error) && !isBusy && !signal.aborted) {
        this.#countFailure(this.#countCall(tool), errorMessage(error));
      }
      throw error;
    }
  }

  /** Counts the last call of a tool as failed, because its response could not be used. */
  markUnusable(tool: string, message: string): void {
    const counters = this.#countersByTool.get(tool);
    if (counters === undefined) return;
    counters.consecutiveFailures = counters.failuresBefore;
    this.#countFailure(counters, message);
  }

  /** Returns the statistics of all tools, sorted by name. */
  toHealth(): ToolHealth[] {
    return [...this.#countersByTool]
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

  #countCall(tool: string): ToolCounters {
    const counters = this.#countersByTool.get(tool) ?? {
      latencies: new LatencyWindow(this.#clock, LATENCY_WINDOW_MS, MAX_LATENCIES),
      calls: 0,
      failures: 0,
      consecutiveFailures: 0,
      failuresBefore: 0,
      lastError: null,
      lastFailedAt: null,
    };
    counters.calls += 1;
    counters.failuresBefore = counters.consecutiveFailures;
    this.#countersByTool.delete(tool);
    this.#countersByTool.set(tool, counters);
    if (this.#countersByTool.size > MAX_TOOLS) {
      const [oldest] = this.#countersByTool.keys();
      if (oldest !== undefined) this.#countersByTool.delete(oldest);
    }
    return counters;
  }

  #countFailure(counters: ToolCounters, message: string): void {
    counters.failures += 1;
    counters.consecutiveFailures += 1;
    counters.lastError = toPrintableLine(message, MAX_MESSAGE_LENGTH);
    counters.lastFailedAt = isoTimestamp(this.#clock);
  }
}

function toOutcome(error: unknown): ToolCallOutcome {
  if (wasNotSent(error)) return 'not_sent';
  if (error instanceof ToolRejectedError) return error.retryAfterMs === null ? 'error' : 'busy';
  return error instanceof ToolCallTimeoutError ? 'timeout' : 'failed';
}

/** Returns the value of a tool result as text for an error message. */
export function toText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
