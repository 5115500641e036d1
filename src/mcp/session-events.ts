import { z } from 'zod';
import { sanitizeJsonInTurns, type SanitizeStats, toPrintableLine } from '../shared/sanitize/index.js';
import { TAP_CALL_METHOD } from '../shared/index.js';
import type { SessionEvent } from './session.js';
import { decodeToolResult, toolResultSchema } from './tool-result.js';

/** Longest name of a notification or tool in UTF-16 units. */
const MAX_NAME_LENGTH = 200;

/** Schema of any object. Unlike `z.record`, it does not visit the members, of which there may be many. */
const objectSchema = z.custom<Readonly<Record<string, unknown>>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);
const observedCallSchema = z.object({
  tool: z.string(),
  arguments: objectSchema.nullish().catch(null),
  result: toolResultSchema.optional(),
  error: z.looseObject({ message: z.string().catch('') }).optional(),
});
const argumentsSchema = objectSchema.catch({});

export interface SessionEventOptions {
  /** Whether the session is tapped. Calls of another client are accepted from taps only. */
  readonly isTapped: boolean;
  /** Called when the sanitizer removed or shortened something. */
  readonly onChanges: (changes: SanitizeStats) => void;
}

/**
 * Parses and sanitizes a notification, in several turns of the event loop if it is long. An observed call of a tap becomes an event of kind `CALL`; a malformed one remains
 * a plain notification.
 */
export async function parseSessionEvent(
  method: string,
  params: unknown,
  { isTapped, onChanges }: SessionEventOptions,
): Promise<SessionEvent> {
  const sanitize = async (value: unknown): Promise<unknown> => {
    const { value: sanitized, changes } = await sanitizeJsonInTurns(value);
    if (changes !== null) onChanges(changes);
    return sanitized;
  };
  const call = isTapped && method === TAP_CALL_METHOD ? observedCallSchema.safeParse(params).data : undefined;
  if (call === undefined)
    return { kind: 'NOTIFICATION', method: toPrintableLine(method, MAX_NAME_LENGTH), params: await sanitize(params) };
  const { tool, arguments: args, result, error } = call;
  // A result is decoded before it is sanitized, because its JSON text may exceed the limit for texts.
  const answer =
    result === undefined
      ? { isError: true, value: await sanitize(error?.message ?? null) }
      : await decodeToolResult(result, onChanges);
  return {
    kind: 'CALL',
    tool: toPrintableLine(tool, MAX_NAME_LENGTH),
    args: argumentsSchema.parse(await sanitize(args ?? {})),
    answer,
  };
}
