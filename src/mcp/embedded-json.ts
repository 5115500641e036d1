/** Number of characters that are scanned in one step. */
const STEP_LENGTH = 65_536;
/** Most unclosed brackets after which the search continues in the next line, so that the time grows linearly. */
const MAX_UNCLOSED = 16;

const FENCE = '```';

/** Part of a text that may be a JSON list or object. */
export interface JsonCandidate {
  readonly text: string;
  /** Whether the part begins a line. Brackets in a sentence do not. */
  readonly beginsLine: boolean;
}

/**
 * Finds lists and objects in a text that is not JSON as a whole: in fenced code blocks, or else at the end of lines, such as
 * several lines of JSON, or a value after a sentence. Takes linear time, and yields after each step.
 */
export function* findEmbeddedJson(text: string): Generator<void, readonly JsonCandidate[]> {
  const fenced: JsonCandidate[] = [];
  for (const block of fencedBlocks(text)) fenced.push(...(yield* findInLines(block)));
  return fenced.length > 0 ? fenced : yield* findInLines(text);
}

function* findInLines(text: string): Generator<void, readonly JsonCandidate[]> {
  const candidates: JsonCandidate[] = [];
  const opening = /[[{]/g;
  let unclosed = 0;
  for (let match = opening.exec(text); match !== null && unclosed < MAX_UNCLOSED; match = opening.exec(text)) {
    const start = match.index;
    const beginsLine = isLineStart(text, start);
    const end = yield* findEnd(text, start);
    if (end !== null) {
      if (isLineEnd(text, end)) candidates.push({ text: text.slice(start, end), beginsLine });
      opening.lastIndex = end;
      continue;
    }
    unclosed += 1;
    const nextLine = text.indexOf('\n', start);
    opening.lastIndex = nextLine === -1 ? text.length : nextLine;
    if (beginsLine) candidates.push({ text: text.slice(start, opening.lastIndex), beginsLine });
  }
  return candidates;
}

/** Returns the contents of the fenced code blocks in a text. */
function fencedBlocks(text: string): readonly string[] {
  const blocks: string[] = [];
  let fence = text.indexOf(FENCE);
  while (fence !== -1) {
    const lineEnd = text.indexOf('\n', fence);
    if (lineEnd === -1) break;
    const end = text.indexOf(FENCE, lineEnd);
    blocks.push(text.slice(lineEnd, end === -1 ? text.length : end));
    fence = end === -1 ? -1 : text.indexOf(FENCE, end + FENCE.length);
  }
  return blocks;
}

/** Returns the position after the bracket that closes the one at `start`. Null if it is not closed. */
function* findEnd(text: string, start: number): Generator<void, number | null> {
  // A quote ends a text unless it follows an odd number of backslashes; escaped pairs are skipped together.
  const token = /\\[^]|["[\]{}]/g;
  token.lastIndex = start;
  let depth = 0;
  let isInText = false;
  let stepEnd = start + STEP_LENGTH;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [character] = match;
    if (character === '"') isInText = !isInText;
    else if (!isInText && (character === '{' || character === '[')) depth += 1;
    else if (!isInText && (character === '}' || character === ']')) depth -= 1;
    if (depth === 0) return token.lastIndex;
    if (token.lastIndex >= stepEnd) {
      stepEnd = token.lastIndex + STEP_LENGTH;
      yield;
    }
  }
  return null;
}

function isLineStart(text: string, position: number): boolean {
  let at = position - 1;
  while (at >= 0 && isSpace(text[at])) at -= 1;
  return at < 0 || text[at] === '\n';
}

function isLineEnd(text: string, position: number): boolean {
  let at = position;
  while (at < text.length && isSpace(text[at])) at += 1;
  return at >= text.length || text[at] === '\n';
}

function isSpace(character: string | undefined): boolean {
  return character === ' ' || character === '\t' || character === '\r';
}
