import { z } from 'zod';
import { type Changes, sanitizeJson } from '../sanitize/index.js';
import { TAP_CALL } from '../shared/index.js';
import { printable } from './printable.js';
import type { Push } from './session.js';
import { decodeAnswer, TOOL_RESULT } from './tool-answer.js';

/** Of the name of a notification, or of a tool. */
const MAX_NAME_LENGTH = 200;

const SEEN_CALL = z.object({
  tool: z.string(),
  arguments: z.record(z.string(), z.unknown()).nullish().catch(null),
  result: TOOL_RESULT.optional(),
  error: z.looseObject({ message: z.string().catch('') }).optional(),
});
const ARGUMENTS = z.record(z.string(), z.unknown()).catch({});

export interface PushOptions {
  /** Whether a tap tells it: only taps are believed when they tell of somebody's call. */
  readonly isTapped: boolean;
  /** Is told when something was taken out or cut. */
  readonly onChanges: (changes: Changes) => void;
}

/** A notification as what it tells, sanitised; of a tap's call that is not whole, only that something was said. */
export function pushOf(method: string, params: unknown, { isTapped, onChanges }: PushOptions): Push {
  const clean = (value: unknown): unknown => {
    const { value: cleaned, changes } = sanitizeJson(value);
    if (changes !== null) onChanges(changes);
    return cleaned;
  };
  const call = isTapped && method === TAP_CALL ? SEEN_CALL.safeParse(params).data : undefined;
  if (call === undefined)
    return { kind: 'NOTIFICATION', method: printable(method, MAX_NAME_LENGTH), params: clean(params) };
  const { tool, arguments: args, result, error } = call;
  // The answer's text is JSON that is longer than texts may be: it is cleaned as what it says.
  const answer =
    result === undefined ? { isError: true, value: clean(error?.message ?? null) } : decodeAnswer(result, onChanges);
  return { kind: 'CALL', tool: printable(tool, MAX_NAME_LENGTH), args: ARGUMENTS.parse(clean(args ?? {})), answer };
}
