import { z } from 'zod';
import { type SanitizeStats, sanitizeJson, type SanitizeResult, sanitizeJsonText } from '../shared/sanitize/index.js';
import type { ToolCallResult } from './session.js';

/** Lets everything pass that is a result at all: servers put what they like into it. */
export const toolResultSchema = z.looseObject({
  content: z.unknown().optional(),
  structuredContent: z.unknown().optional(),
  isError: z.unknown().optional(),
});

const TEXT_BLOCK = z.looseObject({ text: z.string() });

/**
 * What a tool answered, sanitised: every answer comes by here, asked for by a poll, by a client or by somebody else.
 * @param onChanges is told when something was taken out or cut
 */
export function decodeToolResult(
  { content, structuredContent, isError }: z.output<typeof toolResultSchema>,
  onChanges: (changes: SanitizeStats) => void = () => undefined,
): ToolCallResult {
  const { value, changes } = structuredContent == null ? firstText(content) : sanitizeJson(structuredContent);
  if (changes !== null) onChanges(changes);
  return { isError: isError === true, value };
}

/** Of the first block that has one, whatever its type: some servers give JSON a type of its own. */
function firstText(content: unknown): SanitizeResult {
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [];
  for (const block of blocks) {
    const { success, data } = TEXT_BLOCK.safeParse(block);
    if (success) return sanitizeJsonText(data.text);
  }
  return { value: null, changes: null };
}
