import type { SessionEvent } from '../mcp/index.js';
import { UnusableResponseError, reportedFailure } from './responses/parse-response.js';
import { countEntries, type ResponseLocation, type RecordReader } from './responses/record-reader.js';
import { isObject } from './responses/is-object.js';

/** Maximum number of entries of an observed list. Longer lists are read by the poll that follows, in several turns. */
const MAX_OBSERVED_ENTRIES = 1_000;

/** Successful tool call of another client, observed through a tap. */
export interface ObservedCall {
  /** Location of the result, for reports of malformed values. */
  readonly location: ResponseLocation;
  /** Arguments of the call. Used only for values that the result confirms but does not contain. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly answer: unknown;
}

/**
 * Applies an observed call of one tool to the polled tools of an adapter. A list counts as polled. Other results change
 * only the agents, swarms and tasks they contain; the next poll fetches the rest. Returns whether anything changed.
 * @throws UnusableResponseError if the result is malformed
 */
export type CallObserver<Tools> = (call: ObservedCall, tools: Tools) => boolean;

/** Applies an event if it is a successful call of a tool with an observer. Returns whether anything changed. */
export function applyObservedCall<Tools extends { readonly records: RecordReader }>(
  event: SessionEvent,
  observers: ReadonlyMap<string, CallObserver<Tools>>,
  tools: Tools,
): boolean {
  if (event.kind !== 'CALL') return false;
  const { tool, args, answer } = event;
  const observer = observers.get(tool);
  if (observer === undefined || answer.isError || reportedFailure(answer.value) !== null) return false;
  if (countEntries(answer.value) > MAX_OBSERVED_ENTRIES) return false;
  const location = { tool, path: 'answer' };
  try {
    return observer({ location, args, answer: answer.value }, tools);
  } catch (error) {
    if (!(error instanceof UnusableResponseError)) throw error;
    tools.records.reject(location, error.message);
    return false;
  }
}

/** Returns whether the arguments contain only names in `ignored`, so that the result is the complete list. */
export function isUnfiltered(args: ObservedCall['args'], ...ignored: readonly string[]): boolean {
  return Object.entries(args).every(([name, value]) => value == null || ignored.includes(name));
}

/** Returns the list with a record replaced by the same one, or appended if there is none. */
export function upsertRecord<T>(list: readonly T[], record: T, isSame: (candidate: T) => boolean): T[] {
  const index = list.findIndex(isSame);
  return index === -1 ? [...list, record] : list.with(index, record);
}

/** Returns the call with one part of its result as the whole result. */
export function withResponsePart(call: ObservedCall, name: string): ObservedCall {
  const { tool, path } = call.location;
  return { ...call, location: { tool, path: `${path}.${name}` }, answer: responsePart(call.answer, name) };
}

/** Returns a part of a result. Undefined if there is no such part. */
export function responsePart(answer: unknown, name: string): unknown {
  return isObject(answer) ? answer[name] : undefined;
}
