import { z } from 'zod';
import { nextTurn } from '../shared/index.js';
import { MAX_DIRECT_BYTES, parseJsonInTurns, runInTurns } from '../shared/json/index.js';
import { sanitizeJsonInTurns, sanitizeJsonTextInTurns, type SanitizeStats } from '../shared/sanitize/index.js';
import { findEmbeddedJson } from './embedded-json.js';
import type { ToolCallResult } from './session.js';

/** Schema of a tool result. Accepts any content, because servers do not keep to the specification. */
export const toolResultSchema = z.object({
  content: z.unknown().optional(),
  structuredContent: z.unknown().optional(),
  isError: z.unknown().optional(),
});
export type ToolResultMessage = z.output<typeof toolResultSchema>;

/** Block with text in any type of block, because some servers use a custom type for JSON. */
const textBlockSchema = z.object({ text: z.string() });
/** Embedded resource with text. */
const resourceBlockSchema = z.object({ resource: textBlockSchema });

/** Result as the text of a result, as some servers return the result of another tool. */
const nestedResultSchema = z.strictObject({
  content: z.array(z.looseObject({ type: z.string() })).min(1),
  structuredContent: z.unknown().optional(),
  isError: z.boolean().optional(),
  _meta: z.unknown().optional(),
});

/** Most content blocks of a result that are read. */
const MAX_BLOCKS = 50_000;
/** Number of content blocks whose texts are found in one turn of the event loop. */
const BLOCKS_PER_TURN = 5_000;
/** Number of texts that are read in one turn of the event loop. */
const TEXTS_PER_TURN = 100;
/** Deepest nesting of results in results, and of JSON in JSON texts. */
const MAX_NESTING = 3;

/** Removes what must not be shown, and reports it. */
type Sanitize = (
  work: Promise<{ readonly value: unknown; readonly changes: SanitizeStats | null }>,
) => Promise<unknown>;

/**
 * Decodes and sanitizes a tool result, in several turns of the event loop if it is long. Every result passes through here: of
 * polls, of clients and of observed calls.
 * @param onChanges called when the sanitizer removed or shortened something
 */
export async function decodeToolResult(
  result: ToolResultMessage,
  onChanges: (changes: SanitizeStats) => void = () => undefined,
): Promise<ToolCallResult> {
  const sanitize: Sanitize = async (work) => {
    const { value, changes } = await work;
    if (changes !== null) onChanges(changes);
    return value;
  };
  return decode(result, sanitize, MAX_NESTING);
}

async function decode(
  { content, structuredContent, isError }: ToolResultMessage,
  sanitize: Sanitize,
  nesting: number,
): Promise<ToolCallResult> {
  const answer =
    structuredContent == null
      ? await decodeContent(content, sanitize)
      : { value: await sanitize(sanitizeJsonInTurns(structuredContent)) };
  const nested = nesting > 0 ? nestedResultSchema.safeParse(answer.value).data : undefined;
  if (nested === undefined) return { ...answer, isError: isError === true };
  const inner = await decode(nested, sanitize, nesting - 1);
  return { ...inner, isError: isError === true || inner.isError };
}

async function decodeContent(content: unknown, sanitize: Sanitize): Promise<Omit<ToolCallResult, 'isError'>> {
  // `isArray` narrows to a list of any.
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [];
  const texts: string[] = [];
  for (const [index, block] of blocks.slice(0, MAX_BLOCKS).entries()) {
    if (index > 0 && index % BLOCKS_PER_TURN === 0) await nextTurn();
    texts.push(...textOf(block));
  }
  const [text, ...others] = texts;
  // A list of results in one block each, of which there are none.
  if (text === undefined) return { value: Array.isArray(content) && blocks.length === 0 ? [] : null };
  if (others.length === 0) return decodeText(text, sanitize);
  const parts: DecodedText[] = [];
  for (const [index, part] of texts.entries()) {
    if (index % TEXTS_PER_TURN === 0) await nextTurn();
    parts.push(await decodeText(part, sanitize));
  }
  const shown = parts.map((part) => part.content ?? part.value);
  const values = parts.flatMap(({ value }) => valuesOf(value));
  const excess = blocks.length - MAX_BLOCKS;
  if (excess > 0) values.push(`${excess} more content blocks`);
  // Without any list or object, the blocks are the paragraphs of one text.
  if (!values.some(isContainer)) return { value: shown.map(toText).join('\n') };
  return { value: combine(values), content: shown };
}

/** Value of a text, and the text as it is shown to clients if it contains more than the value. */
type DecodedText = Omit<ToolCallResult, 'isError'>;

/** Decodes a text that is JSON, contains JSON, or is plain text. */
async function decodeText(text: string, sanitize: Sanitize): Promise<DecodedText> {
  const json = await unwrapJsonText(text);
  const value = await sanitize(sanitizeJsonTextInTurns(json));
  if (typeof value !== 'string') return { value };
  const candidates = await runInTurns(findEmbeddedJson(json));
  const values: unknown[] = [];
  for (const [index, { text: part, beginsLine }] of candidates.entries()) {
    if (index % TEXTS_PER_TURN === 0) await nextTurn();
    const partValue = await sanitize(sanitizeJsonTextInTurns(part));
    // A part that cannot be read stays a text, which readers of lists reject and report.
    if (isData(partValue) || (typeof partValue === 'string' && beginsLine)) values.push(partValue);
  }
  return values.some(isContainer) ? { value: combine(values), content: value } : { value };
}

/** Returns the JSON text in a JSON string. Returns the text itself if it is no such string. */
async function unwrapJsonText(text: string): Promise<string> {
  let current = text;
  for (let nesting = MAX_NESTING; nesting > 0; nesting -= 1) {
    const trimmed = current.trim();
    if (!/^"\s*(?:[[{]|\\")/.test(trimmed) || !trimmed.endsWith('"')) return current;
    const inner = await parseString(trimmed);
    if (inner === null) return current;
    current = inner;
  }
  return current;
}

async function parseString(json: string): Promise<string | null> {
  try {
    const value: unknown =
      json.length <= MAX_DIRECT_BYTES ? JSON.parse(json) : await parseJsonInTurns(Buffer.from(json));
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}

/** Returns the text of a content block: one or none. */
function textOf(block: unknown): readonly string[] {
  const text = textBlockSchema.safeParse(block).data ?? resourceBlockSchema.safeParse(block).data?.resource;
  return text === undefined ? [] : [text.text];
}

/** Returns the parts of a result that are data, and texts that should have been data. */
function valuesOf(value: unknown): readonly unknown[] {
  if (isContainer(value)) return [value];
  return typeof value === 'string' && /^\s*(?:\{\s*"|\[\s*\{)/.test(value) ? [value] : [];
}

/** Returns the value of several parts: the only one, or the list of all entries. */
function combine(values: readonly unknown[]): unknown {
  const [first, ...others] = values;
  return others.length === 0
    ? first
    : values.flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : [value])); // narrows to a list of any
}

function isContainer(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** Returns whether a part of a text is data. A list of numbers may be a reference such as `[1]`. */
function isData(value: unknown): boolean {
  return Array.isArray(value) ? value.every(isContainer) : isContainer(value);
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
