import { z } from 'zod';
import { sanitizeJson, type SanitizeStats, toPrintableLine } from '../shared/sanitize/index.js';
import { TAP_CALL_METHOD } from '../shared/index.js';
import type { SessionEvent } from './session.js';
import { decodeToolResult, toolResultSchema } from './tool-result.js';

/** Longest name of a notification or tool in UTF-16 units. */
const MAX_NAME_LENGTH = 200;

const observedCallSchema = z.object({
  tool: z.string(),
  arguments: z.record(z.string(), z.unknown()).nullish().catch(null),
  result: toolResultSchema.optional(),
  error: z.looseObject({ message: z.string().catch('') }).optional(),
});
const argumentsSchema = z.record(z.string(), z.unknown()).catch({});

export interface SessionEventOptions {
  /** Whether the session is tapped. Calls of another client are accepted from taps only. */
  readonly isTapped: boolean;
  /** Called when the sanitizer removed or shortened something. */
  readonly onChanges: (changes: SanitizeStats) => void;
}

/**
 * Parses and sanitizes a notification. An observed call of a tap becomes an event of kind `CALL`; a malformed one remains
 * a plain notification.
 */
export function parseSessionEvent(
  method: string,
  params: unknown,
  { isTapped, onChanges }: SessionEventOptions,
): SessionEvent {
  const sanitize = (value: unknown): unknown => {
    const { value: sanitized, changes } = sanitizeJson(value);
    if (changes !== null) onChanges(changes);
    return sanitized;
  };
  const call = isTapped && method === TAP_CALL_METHOD ? observedCallSchema.safeParse(params).data : undefined;
  if (call === undefined)
    return { kind: 'NOTIFICATION', method: toPrintableLine(method, MAX_NAME_LENGTH), params: sanitize(params) };
  const { tool, arguments: args, result, error } = call;
  // A result is decoded before it is sanitized, because its JSON text may exceed the limit for texts.
  const answer =
    result === undefined
      ? { isError: true, value: sanitize(error?.message ?? null) }
      : decodeToolResult(result, onChanges);
  return {
    kind: 'CALL',
    tool: toPrintableLine(tool, MAX_NAME_LENGTH),
    args: argumentsSchema.parse(sanitize(args ?? {})),
    answer,
  };
}
