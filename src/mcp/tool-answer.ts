import { z } from 'zod';
import type { ToolAnswer } from './session.js';

/** Lets everything pass that is a result at all: servers put what they like into it. */
export const TOOL_RESULT = z.looseObject({
  content: z.unknown().optional(),
  structuredContent: z.unknown().optional(),
  isError: z.unknown().optional(),
});

const TEXT_BLOCK = z.looseObject({ text: z.string() });

export function decodeAnswer({ content, structuredContent, isError }: z.output<typeof TOOL_RESULT>): ToolAnswer {
  return { isError: isError === true, value: structuredContent ?? firstText(content) };
}

/** Of the first block that has one, whatever its type: some servers give JSON a type of its own. */
function firstText(content: unknown): unknown {
  if (!Array.isArray(content)) return null;
  for (const block of content) {
    const { success, data } = TEXT_BLOCK.safeParse(block);
    if (success) return jsonOrText(data.text);
  }
  return null;
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
