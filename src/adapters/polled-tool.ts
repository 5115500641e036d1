import type { z } from 'zod';
import type { ToolFailure } from '../model/index.js';
import { ToolCallTimeoutError, ToolRejectedError } from '../mcp/index.js';
import type { AdapterContext } from './adapter.js';
import { cleanText } from './responses/value-schemas.js';
import { isObject } from './responses/record-reader.js';

/** For tools asked at most ten times a second. Less than 100 ms, so that a 10 Hz poll that comes early does not skip one. */
export const TEN_HZ_INTERVAL_MS = 90;

const MIN_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 30_000;
/** A failure's message is the server's own text. */
const MAX_MESSAGE_LENGTH = 300;

/** The tool answered, but not with what it answers when it does its work. */
export class UnusableResponseError extends Error {
  override readonly name = 'AnswerError';
}

export interface PolledToolOptions<T> {
  readonly tool: string;
  readonly args?: Readonly<Record<string, unknown>>;
  /** 0: at every poll. */
  readonly minIntervalMs: number;
  /** Without this list there is nothing to report: when it hangs, the server does, and it is asked at every poll. */
  readonly isMain?: boolean;
  /** What the answer says of success and errors is content: of an agent's, say. */
  readonly acceptsAnyResponse?: boolean;
  /** @throws AnswerError when the answer as a whole does not fit */
  readonly read: (answer: unknown) => T;
}

/**
 * One call that polls repeat: at most so often, with its last good answer in between. One that fails is asked again
 * after 1 s, 2 s, … 30 s, so that it does not cost a call at every poll.
 */
export class PolledTool<T> {
  readonly #context: AdapterContext;
  readonly #options: PolledToolOptions<T>;
  #last: T | null = null;
  #failure: ToolFailure | null = null;
  #failuresInARow = 0;
  #requestedAtMs: number | null = null;
  #notBeforeMs = -Infinity;
  #observations = 0;
  #isPassedOver = false;

  constructor(context: AdapterContext, options: PolledToolOptions<T>) {
    this.#context = context;
    this.#options = options;
  }

  /** The answer, when the tool works: what enriches a report. */
  get current(): T | null {
    return this.#failure === null ? this.#last : null;
  }

  /** The last good answer, even when the tool has failed since: what a list falls back on. */
  get lastGood(): T | null {
    return this.#last;
  }

  /** Of the last call that ended; stays until the next good one. */
  get failure(): ToolFailure | null {
    return this.#failure;
  }

  /** When it was last asked, on the monotonic clock; `null` when never, or when it is to be asked again in any case. */
  get requestedAtMs(): number | null {
    return this.#requestedAtMs;
  }

  isDue(minIntervalMs = this.#options.minIntervalMs): boolean {
    if (!this.#context.tools.has(this.#options.tool)) return false;
    const nowMs = this.#context.clock.monotonic();
    return nowMs >= this.#notBeforeMs && (this.#requestedAtMs === null || nowMs - this.#requestedAtMs >= minIntervalMs);
  }

  /**
   * Calls the tool when it is due.
   * @param minIntervalMs instead of the lane's own: 0 when the answer is known to be out of date
   * @throws when the server could not be asked; a refusal or an unusable answer is the lane's `failure`
   */
  async refresh(signal: AbortSignal, minIntervalMs = this.#options.minIntervalMs): Promise<void> {
    if (!this.isDue(minIntervalMs)) return;
    const { tool, args = {}, read, acceptsAnyResponse = false } = this.#options;
    const askedAtMs = this.#context.clock.monotonic();
    const observations = this.#observations;
    try {
      const answer = await this.#context.caller.callTool(tool, args, signal);
      if (!acceptsAnyResponse) throwIfFailed(answer);
      this.#answered(read(answer), observations);
    } catch (error) {
      if (error instanceof UnusableResponseError) this.#context.caller.markUnusable?.(tool, error.message);
      if (error instanceof ToolRejectedError || error instanceof UnusableResponseError) this.#fail(error);
      else {
        // A tool that hangs while its neighbours answer must not hold up every poll.
        if (error instanceof ToolCallTimeoutError && this.#options.isMain !== true) this.#fail(error);
        throw error;
      }
    }
    this.#requestedAtMs = observations === this.#observations ? askedAtMs : null;
  }

  /**
   * Takes in what the tool has answered to somebody else, as if it had been asked for.
   * @returns `false`: not taken, because no poll could ever replace it
   * @throws AnswerError when the answer as a whole does not fit; then nothing is changed
   */
  accept(answer: unknown): boolean {
    if (!this.#context.tools.has(this.#options.tool)) return false;
    this.#works(this.#options.read(answer));
    this.#requestedAtMs = this.#context.clock.monotonic();
    this.#observations += 1;
    return true;
  }

  /**
   * Changes the last good answer by what has been observed. The next poll asks for all of it, however recently it was
   * asked: what else has changed is not known.
   * @param unasked what to change when there has been no answer yet; without it, nothing is
   * @returns whether there was anything to change
   */
  update(change: (last: T) => T, unasked: T | null = null): boolean {
    const last = this.#last ?? unasked;
    if (last === null) return false;
    this.#last = change(last);
    this.#requestedAtMs = null;
    this.#observations += 1;
    return true;
  }

  /**
   * An answer that was under way while something was observed may be older than that, and the list of it would take away
   * an agent that has just been shown. So what was observed stays, and the next poll asks again. That one's answer
   * stands, whatever is observed meanwhile: somebody who is never at rest cannot keep us from looking.
   */
  #answered(value: T, observations: number): void {
    const isPassedOver = observations !== this.#observations && !this.#isPassedOver;
    this.#works(isPassedOver ? this.#last : value);
    this.#isPassedOver = isPassedOver;
  }

  #works(value: T | null): void {
    this.#last = value;
    this.#failure = null;
    this.#failuresInARow = 0;
    this.#notBeforeMs = -Infinity;
  }

  #fail(error: Error): void {
    this.#failuresInARow += 1;
    this.#failure = { tool: this.#options.tool, message: cleanText(error.message, MAX_MESSAGE_LENGTH) || error.name };
    const backoffMs = Math.min(MAX_BACKOFF_MS, MIN_BACKOFF_MS * 2 ** (this.#failuresInARow - 1));
    this.#notBeforeMs = this.#context.clock.monotonic() + backoffMs;
  }
}

/** Waits for all, then throws the first error: no call is left running behind the poll's back. */
export async function settleAll(calls: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(calls);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** The failures of several lanes, one for each tool. */
export function collectFailures(lanes: Iterable<Pick<PolledTool<unknown>, 'failure'>>): ToolFailure[] {
  const failures = new Map<string, ToolFailure>();
  for (const { failure } of lanes) {
    if (failure !== null && !failures.has(failure.tool)) failures.set(failure.tool, failure);
  }
  return [...failures.values()];
}

/** @throws AnswerError when the answer as a whole does not fit */
export function parseResponse<S extends z.ZodType>(schema: S, answer: unknown): z.output<S> {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue === undefined || issue.path.length === 0 ? 'answer' : issue.path.map(String).join('.');
  throw new UnusableResponseError(`Unexpected answer: ${path}: ${issue?.message ?? 'invalid'}`);
}

/** @throws AnswerError when the answer is no object */
export function expectObject(answer: unknown): Readonly<Record<string, unknown>> {
  if (!isObject(answer)) throw new UnusableResponseError('Unexpected answer: not an object');
  return answer;
}

function throwIfFailed(answer: unknown): void {
  const failure = reportedFailure(answer);
  if (failure !== null) throw new UnusableResponseError(failure);
}

/**
 * claude-flow reports failures as ordinary answers: `{success:false,error}`, `{status:"not_found"}`, `{…,error}`.
 * @returns what went wrong; `null`: nothing
 */
export function reportedFailure(answer: unknown): string | null {
  if (!isObject(answer)) return null;
  const { success, status, error } = answer;
  const message = typeof error === 'string' ? error : '';
  if (success !== false && status !== 'not_found' && status !== 'error' && message === '') return null;
  return message || `The tool reports ${typeof status === 'string' ? status : 'a failure'}`;
}
