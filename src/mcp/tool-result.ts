import { z } from 'zod';
import {
  sanitizeJsonInTurns,
  sanitizeJsonTextInTurns,
  type SanitizeResult,
  type SanitizeStats,
} from '../shared/sanitize/index.js';
import type { ToolCallResult } from './session.js';

/** Schema of a tool result. Accepts any content, because servers do not keep to the specification. */
export const toolResultSchema = z.object({
  content: z.unknown().optional(),
  structuredContent: z.unknown().optional(),
  isError: z.unknown().optional(),
});

const textBlockSchema = z.object({ text: z.string() });

/**
 * Decodes and sanitizes a tool result, in several turns of the event loop if it is long. Every result passes through here: of polls, of clients and of observed calls.
 * @param onChanges called when the sanitizer removed or shortened something
 */
export async function decodeToolResult(
  { content, structuredContent, isError }: z.output<typeof toolResultSchema>,
  onChanges: (changes: SanitizeStats) => void = () => undefined,
): Promise<ToolCallResult> {
  const { value, changes } = await (structuredContent == null
    ? sanitizeFirstText(content)
    : sanitizeJsonInTurns(structuredContent));
  if (changes !== null) onChanges(changes);
  return { isError: isError === true, value };
}

/** Sanitizes the first text in any type of block, because some servers use a custom type for JSON. */
async function sanitizeFirstText(content: unknown): Promise<SanitizeResult> {
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [];
  for (const block of blocks) {
    const { success, data } = textBlockSchema.safeParse(block);
    if (success) return sanitizeJsonTextInTurns(data.text);
  }
  return { value: null, changes: null };
}
