import { z } from 'zod';
import { sanitizeJson, type SanitizeStats, toPrintableLine } from '../shared/sanitize/index.js';
import { TAP_CALL_METHOD } from '../shared/index.js';
import type { SessionEvent } from './session.js';
import { decodeToolResult, toolResultSchema } from './tool-result.js';

/** Of the name of a notification, or of a tool. */
const MAX_NAME_LENGTH = 200;

const SEEN_CALL = z.object({
  tool: z.string(),
  arguments: z.record(z.string(), z.unknown()).nullish().catch(null),
  result: toolResultSchema.optional(),
  error: z.looseObject({ message: z.string().catch('') }).optional(),
});
const ARGUMENTS = z.record(z.string(), z.unknown()).catch({});

export interface SessionEventOptions {
  /** Whether a tap tells it: only taps are believed when they tell of somebody's call. */
  readonly isTapped: boolean;
  /** Is told when something was taken out or cut. */
  readonly onChanges: (changes: SanitizeStats) => void;
}

/** A notification as what it tells, sanitised; of a tap's call that is not whole, only that something was said. */
export function parseSessionEvent(
  method: string,
  params: unknown,
  { isTapped, onChanges }: SessionEventOptions,
): SessionEvent {
  const clean = (value: unknown): unknown => {
    const { value: cleaned, changes } = sanitizeJson(value);
    if (changes !== null) onChanges(changes);
    return cleaned;
  };
  const call = isTapped && method === TAP_CALL_METHOD ? SEEN_CALL.safeParse(params).data : undefined;
  if (call === undefined)
    return { kind: 'NOTIFICATION', method: toPrintableLine(method, MAX_NAME_LENGTH), params: clean(params) };
  const { tool, arguments: args, result, error } = call;
  // The answer's text is JSON that is longer than texts may be: it is cleaned as what it says.
  const answer =
    result === undefined
      ? { isError: true, value: clean(error?.message ?? null) }
      : decodeToolResult(result, onChanges);
  return {
    kind: 'CALL',
    tool: toPrintableLine(tool, MAX_NAME_LENGTH),
    args: ARGUMENTS.parse(clean(args ?? {})),
    answer,
  };
}
