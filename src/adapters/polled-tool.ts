import { backoffDelayMs, errorMessage, withoutJitter } from '../shared/index.js';
import type { ServerReport, ToolFailure } from '../model/index.js';
import { ToolCallTimeoutError, ToolRejectedError } from '../mcp/index.js';
import type { AdapterContext } from './adapter.js';
import { cleanText } from './responses/value-schemas.js';
import { throwIfFailed, UnusableResponseError } from './responses/parse-response.js';
import type { RecordReader } from './responses/record-reader.js';

/** Minimum interval of tools polled at 10 Hz. Less than 100 ms, so that a slightly early poll does not skip a call. */
export const TEN_HZ_INTERVAL_MS = 90;

const MIN_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 30_000;
/** Longest failure message, which is text of the server. */
const MAX_MESSAGE_LENGTH = 300;

/** Part of a server's state that polls refresh. */
export interface PolledSource<T> {
  /** Last value. Null if the source has failed since. */
  readonly current: T | null;
  /** Last good value, even if the source has failed since. Null if there is none. */
  readonly lastGood: T | null;
  /** Failure of the last refresh. Null if it succeeded. */
  readonly failure: ToolFailure | null;
  /** Reason why the last value contains only a part of the response. Null if it is complete. */
  readonly omission: ToolFailure | null;
  /** Refreshes the value if that is due. */
  refresh(signal: AbortSignal): Promise<void>;
}

type ToolArguments = Readonly<Record<string, unknown>>;

/** Options of a `PolledTool`. */
export type PolledToolOptions<T> = CallOptions & (ReadOptions<T> | LoadOptions<T>);

interface CallOptions {
  readonly tool: string;
  /** Reader of the entries, which records those it omits. */
  readonly records: RecordReader;
  /** Arguments, or a function that returns those of the next call. @default none */
  readonly args?: ToolArguments | (() => ToolArguments);
  /** Minimum interval between two calls in milliseconds. 0 means at every poll. */
  readonly minIntervalMs: number;
  /** Whether the tool is the main list of the server. If it times out, the whole poll fails and there is no backoff. */
  readonly isMain?: boolean;
  /** Returns whether the server offers the tool. By default, looks in the list of its tools. */
  readonly isOffered?: () => boolean;
}

interface ReadOptions<T> {
  /** Whether fields like `success` and `error` are content instead of the outcome of the call. */
  readonly acceptsAnyResponse?: boolean;
  /**
   * Parses a result.
   * @throws UnusableResponseError if the result is malformed
   */
  readonly read: (response: unknown) => T;
  readonly load?: undefined;
}

interface LoadOptions<T> {
  readonly acceptsAnyResponse?: undefined;
  readonly read?: undefined;
  /**
   * Makes all calls and parses their results. Used instead of one call.
   * @throws UnusableResponseError if a result is malformed
   */
  readonly load: (signal: AbortSignal) => Promise<T>;
}

/** Parsed result, and what it omits. */
interface Reading<T> {
  readonly value: T;
  readonly omission: ToolFailure | null;
}

/**
 * Tool call that is repeated by polls, at most once per minimum interval. Keeps the last good result. After a failure, the
 * next call waits for 1 s, 2 s, … 30 s, so that a failing tool does not cost a call at every poll.
 */
export class PolledTool<T> implements PolledSource<T> {
  readonly #context: AdapterContext;
  readonly #options: PolledToolOptions<T>;
  #lastResult: T | null = null;
  #failure: ToolFailure | null = null;
  #omission: ToolFailure | null = null;
  #consecutiveFailures = 0;
  #requestedAtMs: number | null = null;
  #retryAtMs = -Infinity;
  #observations = 0;
  #hasSkippedResponse = false;

  constructor(context: AdapterContext, options: PolledToolOptions<T>) {
    this.#context = context;
    this.#options = options;
  }

  get current(): T | null {
    return this.#failure === null ? this.#lastResult : null;
  }

  get lastGood(): T | null {
    return this.#lastResult;
  }

  get failure(): ToolFailure | null {
    return this.#failure;
  }

  get omission(): ToolFailure | null {
    return this.#omission;
  }

  /** Monotonic time of the last call in milliseconds. Null if there was none or the result is out of date. */
  get requestedAtMs(): number | null {
    return this.#requestedAtMs;
  }

  /** Returns whether the tool exists and may be called now. */
  isDue(minIntervalMs = this.#options.minIntervalMs): boolean {
    if (!this.#isOffered()) return false;
    const nowMs = this.#context.clock.monotonic();
    return nowMs >= this.#retryAtMs && (this.#requestedAtMs === null || nowMs - this.#requestedAtMs >= minIntervalMs);
  }

  /**
   * Calls the tool if it is due. A rejected call or unusable result is recorded as `failure`.
   * @param minIntervalMs overrides the minimum interval; 0 if the result is known to be out of date
   * @throws if the server cannot be reached
   */
  async refresh(signal: AbortSignal, minIntervalMs = this.#options.minIntervalMs): Promise<void> {
    if (!this.isDue(minIntervalMs)) return;
    const { tool } = this.#options;
    const requestedAtMs = this.#context.clock.monotonic();
    const observations = this.#observations;
    try {
      this.#handleResponse(await this.#request(signal), observations);
    } catch (error) {
      if (error instanceof UnusableResponseError) this.#context.caller.markUnusable?.(tool, error.message);
      if (error instanceof ToolRejectedError || error instanceof UnusableResponseError) this.#fail(error);
      else {
        // A hanging tool must not delay every poll while the other tools answer.
        if (error instanceof ToolCallTimeoutError && this.#options.isMain !== true) this.#fail(error);
        throw error;
      }
    }
    this.#requestedAtMs = observations === this.#observations ? requestedAtMs : null;
  }

  /**
   * Applies a result that another client received, as if it had been polled. Returns false if the server does not offer
   * the tool, because no poll could ever update the result.
   * @throws UnusableResponseError if the result is malformed; then nothing changes
   */
  accept(response: unknown): boolean {
    const options = this.#options;
    if (!this.#isOffered() || options.load !== undefined) return false;
    this.#recordSuccess(this.#read(() => options.read(response)));
    this.#requestedAtMs = this.#context.clock.monotonic();
    this.#observations += 1;
    return true;
  }

  /**
   * Changes the last good result after an observed call. The next poll calls the tool regardless of the minimum interval,
   * because other values may have changed too. Returns false if there is no result to change.
   * @param initial value to change if there is no result yet
   */
  update(change: (last: T) => T, initial: T | null = null): boolean {
    const last = this.#lastResult ?? initial;
    if (last === null) return false;
    this.#lastResult = change(last);
    this.#requestedAtMs = null;
    this.#observations += 1;
    return true;
  }

  /**
   * Records a result, unless a call was observed while it was in flight. Such a result may be older than the observation
   * and could remove an agent that was just added, so the next poll calls again. Skips at most one result in a row, so
   * that a busy client cannot prevent updates.
   */
  #handleResponse(reading: Reading<T>, observations: number): void {
    const isSkipped = observations !== this.#observations && !this.#hasSkippedResponse;
    this.#recordSuccess(isSkipped ? { value: this.#lastResult, omission: this.#omission } : reading);
    this.#hasSkippedResponse = isSkipped;
  }

  #isOffered(): boolean {
    const { tool, isOffered } = this.#options;
    return isOffered?.() ?? this.#context.tools.has(tool);
  }

  async #request(signal: AbortSignal): Promise<Reading<T>> {
    const options = this.#options;
    if (options.load !== undefined) {
      options.records.takeOmission();
      return this.#withOmission(await options.load(signal));
    }
    const { tool, args = {}, acceptsAnyResponse = false, read } = options;
    const { caller } = this.#context;
    const response = await caller.callTool(tool, typeof args === 'function' ? args() : args, signal);
    if (!acceptsAnyResponse) throwIfFailed(response);
    const work = (): Reading<T> => this.#read(() => read(response));
    return caller.process === undefined ? work() : caller.process(work);
  }

  #read(read: () => T): Reading<T> {
    this.#options.records.takeOmission();
    return this.#withOmission(read());
  }

  #withOmission(value: T): Reading<T> {
    const { tool, records } = this.#options;
    const omission = records.takeOmission();
    return { value, omission: omission === null ? null : { tool, message: omission } };
  }

  #recordSuccess({ value, omission }: Reading<T | null>): void {
    this.#lastResult = value;
    this.#omission = omission;
    this.#failure = null;
    this.#consecutiveFailures = 0;
    this.#retryAtMs = -Infinity;
  }

  #fail(error: Error): void {
    this.#consecutiveFailures += 1;
    this.#omission = null;
    this.#failure = {
      tool: this.#options.tool,
      message: cleanText(errorMessage(error), MAX_MESSAGE_LENGTH) || error.name,
    };
    const backoffMs = backoffDelayMs(
      this.#consecutiveFailures,
      { initialMs: MIN_BACKOFF_MS, maxMs: MAX_BACKOFF_MS },
      withoutJitter,
    );
    this.#retryAtMs = this.#context.clock.monotonic() + backoffMs;
  }
}

/** Waits for all calls, then throws the first error, so that no call outlives the poll. */
export async function settleAll(calls: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(calls);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** Collects the failures, and the omissions if there are any, of several sources: one of each kind per tool name. */
export function collectProblems(
  sources: Iterable<Pick<PolledSource<unknown>, 'failure' | 'omission'>>,
): Pick<ServerReport, 'failures' | 'omissions'> {
  const list = [...sources];
  const failures = firstPerTool(list.map(({ failure }) => failure));
  const omissions = firstPerTool(list.map(({ omission }) => omission));
  return omissions.length === 0 ? { failures } : { failures, omissions };
}

function firstPerTool(failures: readonly (ToolFailure | null)[]): ToolFailure[] {
  const byTool = new Map<string, ToolFailure>();
  for (const failure of failures) if (failure !== null && !byTool.has(failure.tool)) byTool.set(failure.tool, failure);
  return [...byTool.values()];
}
