import { z } from 'zod';
import { TAP_CALL } from '../shared/index.js';
import type { Push } from './session.js';
import { decodeAnswer, TOOL_RESULT } from './tool-answer.js';

const SEEN_CALL = z.object({
  tool: z.string(),
  arguments: z.record(z.string(), z.unknown()).nullish().catch(null),
  result: TOOL_RESULT.optional(),
  error: z.looseObject({ message: z.string().catch('') }).optional(),
});

/** What a tap has told; of a call that is not whole, only that something was said. */
export function pushOfTap(method: string, params: unknown): Push {
  const call = method === TAP_CALL ? SEEN_CALL.safeParse(params).data : undefined;
  if (call === undefined) return { kind: 'NOTIFICATION', method, params };
  const { tool, arguments: args, result, error } = call;
  const answer = result === undefined ? { isError: true, value: error?.message ?? null } : decodeAnswer(result);
  return { kind: 'CALL', tool, args: args ?? {}, answer };
}
