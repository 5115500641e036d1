import { z } from 'zod';
import { isObject } from './is-object.js';

/** A tool answered, but its result is a failure or malformed. */
export class UnusableResponseError extends Error {
  override readonly name = 'UnusableResponseError';
}

/**
 * Parses a result with a schema.
 * @throws UnusableResponseError if the result does not match
 */
export function parseResponse<S extends z.ZodType>(schema: S, response: unknown): z.output<S> {
  const result = schema.safeParse(response);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue === undefined || issue.path.length === 0 ? 'result' : issue.path.map(String).join('.');
  throw new UnusableResponseError(`Unexpected response: ${path}: ${issue?.message ?? 'invalid'}`);
}

/**
 * Returns a result that must be an object.
 * @throws UnusableResponseError if it is not
 */
export function expectObject(response: unknown): Readonly<Record<string, unknown>> {
  if (!isObject(response)) throw new UnusableResponseError('Unexpected response: not an object');
  return response;
}

/**
 * Returns the list of entries of a result: the list under a key, or the result itself if it is a list. Combines the lists
 * of several objects, which are the parts of a result in several blocks.
 * @throws UnusableResponseError if there is no such list
 */
export function listIn(response: unknown, key: string): readonly unknown[] {
  const schema = z.object({ [key]: z.array(z.unknown()) });
  if (!Array.isArray(response)) return parseResponse(schema, response)[key] ?? [];
  // `isArray` narrows to a list of any.
  const parts = response as readonly unknown[];
  const lists = parts.map((part) => schema.safeParse(part).data?.[key]);
  if (lists.every((list) => list === undefined)) return parts;
  // Objects without the list are metadata. A text is a part that could not be read, and is rejected as an entry.
  return parts.flatMap((part, index) => lists[index] ?? (typeof part === 'string' ? [part] : []));
}

/**
 * Rejects a result that reports a failure.
 * @throws UnusableResponseError with the message of the server
 */
export function throwIfFailed(response: unknown): void {
  const failure = reportedFailure(response);
  if (failure !== null) throw new UnusableResponseError(failure);
}

/** Keys of the part of a result that contains the outcome of the work. */
const OUTCOME_KEYS = ['result', 'data'];
/** Keys of the entity that a result describes. Its status is content, not the outcome of the call. */
const ID_KEYS = ['id', 'agentId', 'taskId', 'swarmId'];

/**
 * Returns the failure that an ordinary result reports, as claude-flow does with `{success:false,error}`,
 * `{status:"not_found"}` or `{…,error}`, also in its `result` or `data`. Null if it reports none.
 */
export function reportedFailure(response: unknown): string | null {
  if (!isObject(response)) return null;
  const { success, status, error } = response;
  const message = errorText(error);
  const isFailedStatus =
    status === 'not_found' || (status === 'error' && ID_KEYS.every((key) => response[key] === undefined));
  if (success === false || isFailedStatus || message !== '') {
    return message || `The tool reports ${typeof status === 'string' ? status : 'a failure'}`;
  }
  const outcomes = OUTCOME_KEYS.map((key) => response[key]).filter(isObject);
  const failed = outcomes.find((outcome) => outcome['success'] === false);
  return failed === undefined ? null : errorText(failed['error']) || 'The tool reports a failure';
}

function errorText(error: unknown): string {
  const text = isObject(error) ? error['message'] : error;
  return typeof text === 'string' ? text : '';
}
