import { z } from 'zod';
import { type SanitizeStats, sanitizeJson, type SanitizeResult, sanitizeJsonText } from '../shared/sanitize/index.js';
import type { ToolCallResult } from './session.js';

/** Schema of a tool result. Accepts any content, because servers do not keep to the specification. */
export const toolResultSchema = z.looseObject({
  content: z.unknown().optional(),
  structuredContent: z.unknown().optional(),
  isError: z.unknown().optional(),
});

const textBlockSchema = z.looseObject({ text: z.string() });

/**
 * Decodes and sanitizes a tool result. Every result passes through here: of polls, of clients and of observed calls.
 * @param onChanges called when the sanitizer removed or shortened something
 */
export function decodeToolResult(
  { content, structuredContent, isError }: z.output<typeof toolResultSchema>,
  onChanges: (changes: SanitizeStats) => void = () => undefined,
): ToolCallResult {
  const { value, changes } = structuredContent == null ? firstText(content) : sanitizeJson(structuredContent);
  if (changes !== null) onChanges(changes);
  return { isError: isError === true, value };
}

/** Returns the first text in any type of block, because some servers use a custom type for JSON. */
function firstText(content: unknown): SanitizeResult {
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [];
  for (const block of blocks) {
    const { success, data } = textBlockSchema.safeParse(block);
    if (success) return sanitizeJsonText(data.text);
  }
  return { value: null, changes: null };
}
