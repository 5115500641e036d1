import type { SessionEvent } from '../mcp/index.js';
import { UnusableResponseError, reportedFailure } from './polled-tool.js';
import { isObject, type ResponseLocation, type RecordReader } from './responses/record-reader.js';

/** Somebody else's call of a tool that did what it was to do. */
export interface ObservedCall {
  /** The tool and its answer, for what is malformed there. */
  readonly place: ResponseLocation;
  /** The person's own data: to be read only where the answer does not say it, and has confirmed it. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly answer: unknown;
}

/**
 * Takes the answer to one tool into the lanes of an adapter: a list as if it had been polled; of anything else only what
 * it says of agents, swarms and tasks as they are now. What it leaves open is left to the next poll.
 * @returns whether anything was learned
 * @throws AnswerError when the answer as a whole does not fit
 */
export type CallObserver<Lanes> = (call: ObservedCall, lanes: Lanes) => boolean;

/**
 * Takes in what was seen in passing, when it is the good answer to a tool that the table holds.
 * @returns whether anything was learned
 */
export function applyObservedCall<Lanes extends { readonly records: RecordReader }>(
  push: SessionEvent,
  observers: ReadonlyMap<string, CallObserver<Lanes>>,
  lanes: Lanes,
): boolean {
  if (push.kind !== 'CALL') return false;
  const { tool, args, answer } = push;
  const observer = observers.get(tool);
  if (observer === undefined || answer.isError || reportedFailure(answer.value) !== null) return false;
  const place = { tool, path: 'answer' };
  try {
    return observer({ place, args, answer: answer.value }, lanes);
  } catch (error) {
    if (!(error instanceof UnusableResponseError)) throw error;
    lanes.records.reject(place, error.message);
    return false;
  }
}

/** Whether the arguments name nothing but what is given here, so that the answer to them is the whole list. */
export function isUnfiltered(args: ObservedCall['args'], ...harmless: readonly string[]): boolean {
  return Object.entries(args).every(([name, value]) => value == null || harmless.includes(name));
}

/** The list with this record in the place of the one like it, or at its end. */
export function upsertRecord<T>(list: readonly T[], record: T, isLike: (other: T) => boolean): T[] {
  const index = list.findIndex(isLike);
  return index === -1 ? [...list, record] : list.with(index, record);
}

/** The call as if this part of its answer were all of it. */
export function withResponsePart(call: ObservedCall, name: string): ObservedCall {
  const { tool, path } = call.place;
  return { ...call, place: { tool, path: `${path}.${name}` }, answer: responsePart(call.answer, name) };
}

/** A part of an answer, where it has such parts. */
export function responsePart(answer: unknown, name: string): unknown {
  return isObject(answer) ? answer[name] : undefined;
}
