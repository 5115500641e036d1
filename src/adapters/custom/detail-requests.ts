import { ToolRejectedError } from '../../mcp/index.js';
import type { ToolFailure } from '../../model/index.js';
import { backoffDelayMs, errorMessage, withoutJitter } from '../../shared/index.js';
import type { AdapterContext } from '../adapter.js';
import type { PolledSource } from '../polled-tool.js';
import { cleanText } from '../responses/value-schemas.js';
import type { DetailSource } from '../server-mapping.js';
import type { MappedAnswers } from './mapped-answers.js';
import { type Entry, fillTemplate } from './resolve-field.js';

/** Most requests at the same time. */
const CONCURRENCY = 3;
/** Time in milliseconds of one poll after which no further request is sent. Later polls send the rest. */
const TIME_BUDGET_MS = 2_000;
/** Time in milliseconds after which the answer for an entry is out of date. */
const MAX_AGE_MS = 5_000;
/** Delay of the requests after an unanswered request. Doubles with each further unanswered request. */
const BACKOFF = { initialMs: 1_000, maxMs: 30_000 };
const MAX_MESSAGE_LENGTH = 300;

interface Answer {
  readonly value: unknown;
  readonly atMs: number;
  /** Why there is no answer. Null if there is one. */
  readonly failure: string | null;
}

/** Request for one entry. */
interface Request {
  readonly key: string;
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/**
 * Sends a request for each entry of a source, and keeps the answers for some seconds. An entry whose request fails stays, without
 * an answer.
 */
export class DetailRequests implements Pick<PolledSource<unknown>, 'failure' | 'omission'> {
  readonly #source: DetailSource;
  readonly #context: AdapterContext;
  readonly #answers: MappedAnswers;
  #known = new Map<string, Answer>();
  #unanswered = 0;
  #retryAtMs = -Infinity;
  #failure: ToolFailure | null = null;
  #omission: ToolFailure | null = null;

  constructor(source: DetailSource, context: AdapterContext, answers: MappedAnswers) {
    this.#source = source;
    this.#context = context;
    this.#answers = answers;
  }

  get failure(): ToolFailure | null {
    return this.#failure;
  }

  get omission(): ToolFailure | null {
    return this.#omission;
  }

  /** Returns the entries with the answers to their requests. */
  async addTo(entries: readonly Entry[], signal: AbortSignal): Promise<readonly Entry[]> {
    const { max, place, tool } = this.#source;
    const requests = entries.slice(0, max).map((entry) => this.#requestFor(entry));
    const keys = new Set(requests.map((request) => request?.key));
    // Answers for entries that no longer exist are forgotten.
    this.#known = new Map([...this.#known].filter(([key]) => keys.has(key)));
    await this.#send(requests, signal);
    const answers = requests.map((request) => (request === null ? undefined : this.#known.get(request.key)));
    const failures = answers.flatMap((answer, index) =>
      requests[index] === null ? ['A value for its arguments is missing'] : (answer?.failure ?? []),
    );
    const waiting = answers.filter((answer, index) => answer === undefined && requests[index] !== null).length;
    const [first] = failures;
    const fail = (message: string): ToolFailure => ({ tool, message: `${message} (${place})` });
    this.#failure =
      first === undefined
        ? null
        : fail(`${failures.length} of ${requests.length} requests for an entry failed: ${first}`);
    this.#omission =
      entries.length > max
        ? fail(`Requests for the first ${max} of ${entries.length} entries only`)
        : waiting > 0
          ? fail(`${waiting} of ${requests.length} entries are waiting for their requests`)
          : null;
    return entries.map((entry, index) => ({ ...entry, detail: answers[index]?.value }));
  }

  /** Sends the requests that are due, the oldest first. */
  async #send(requests: readonly (Request | null)[], signal: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    const startMs = clock.monotonic();
    if (startMs < this.#retryAtMs) return;
    const ageOf = ({ key }: Request): number => this.#known.get(key)?.atMs ?? -Infinity;
    const unique = new Map(requests.flatMap((request) => (request === null ? [] : [[request.key, request] as const])));
    const due = [...unique.values()]
      .filter((request) => startMs - ageOf(request) >= MAX_AGE_MS)
      .sort((a, b) => ageOf(a) - ageOf(b));
    let isAnswering = true;
    const work = async (): Promise<boolean> => {
      while (isAnswering && clock.monotonic() - startMs < TIME_BUDGET_MS) {
        const request = due.shift();
        if (request === undefined) break;
        if (!(await this.#sendOne(request, signal))) isAnswering = false;
      }
      return isAnswering;
    };
    const outcomes = await Promise.all(Array.from({ length: CONCURRENCY }, work));
    signal.throwIfAborted();
    if (outcomes.every((outcome) => outcome)) {
      this.#unanswered = 0;
      return;
    }
    this.#unanswered += 1;
    this.#retryAtMs = clock.monotonic() + backoffDelayMs(this.#unanswered, BACKOFF, withoutJitter);
  }

  /** Returns false if the server did not answer. */
  async #sendOne({ key, tool, args }: Request, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#context;
    const { isResource = false } = this.#source;
    const remember = (value: unknown, failure: string | null): void => {
      this.#known.set(key, { value, atMs: clock.monotonic(), failure });
    };
    try {
      remember(await this.#answers.request({ tool, isResource }, args, 'data', signal), null);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      remember(undefined, cleanText(errorMessage(error), MAX_MESSAGE_LENGTH));
      return error instanceof ToolRejectedError && error.retryAfterMs === null;
    }
  }

  /** Returns null if a placeholder has no value. */
  #requestFor(entry: Entry): Request | null {
    const { tool, arguments: args, isResource = false } = this.#source;
    const filledTool = isResource ? this.#fill(tool, entry) : tool;
    const filled = this.#fill(args, entry);
    if (typeof filledTool !== 'string' || filled === undefined) return null;
    // The arguments of a mapping are an object.
    return { key: JSON.stringify([filledTool, filled]), tool: filledTool, args: filled as Request['args'] };
  }

  /** Replaces the placeholders in a value of the configuration. Returns undefined if one has no value. */
  #fill(value: unknown, entry: Entry): unknown {
    if (typeof value === 'string') {
      const template = this.#source.templates.get(value);
      return template === undefined ? value : (fillTemplate(template, entry) ?? undefined);
    }
    if (typeof value !== 'object' || value === null) return value;
    const items = Object.entries(value).map(([key, item]) => [key, this.#fill(item, entry)] as const);
    if (items.some(([, item]) => item === undefined)) return undefined;
    return Array.isArray(value) ? items.map(([, item]) => item) : Object.fromEntries(items);
  }
}
