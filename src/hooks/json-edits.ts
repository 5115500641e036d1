import type { Node } from 'jsonc-parser';

/** Text to insert at an offset. */
export interface Insertion {
  readonly offset: number;
  readonly text: string;
}

/** Member of an object, or item of a list if it has no key. */
export interface NewChild {
  readonly key: string | null;
  readonly value: unknown;
}

const DEFAULT_INDENTATION = '  ';

/** Returns the insertion that appends children to an object or a list, in the style of the file. */
export function appendChildren(text: string, container: Node, children: readonly NewChild[]): Insertion {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const existing = container.children ?? [];
  const [first] = existing;
  const last = existing.at(-1);
  const unit = indentationUnit(text, container);
  const isMultiline = first === undefined ? unit !== null : text.slice(container.offset, first.offset).includes('\n');
  const outer = lineIndentation(text, container.offset);
  const inner = first !== undefined && isMultiline ? lineIndentation(text, first.offset) : outer + (unit ?? '');
  const start = isMultiline ? `${newline}${inner}` : '';
  const rendered = children.map(({ key, value }) => {
    const json = JSON.stringify(value, null, isMultiline ? (unit ?? DEFAULT_INDENTATION) : undefined);
    const name = key === null ? '' : `${JSON.stringify(key)}:${isMultiline ? ' ' : ''}`;
    return `${start}${name}${json.replaceAll('\n', `${newline}${inner}`)}`;
  });
  if (last !== undefined) return { offset: endOf(last), text: rendered.map((child) => `,${child}`).join('') };
  const hasNewline = text.slice(container.offset, endOf(container)).includes('\n');
  const end = isMultiline && !hasNewline ? `${newline}${outer}` : '';
  return { offset: container.offset + 1, text: `${rendered.join(',')}${end}` };
}

/** Removes a child of an object or a list, with the comma and the space that separate it from its neighbor. */
export function removeChild(text: string, child: Node): string {
  const container = child.parent;
  const siblings = container?.children ?? [];
  const index = siblings.indexOf(child);
  const [previous, next] = [siblings[index - 1], siblings[index + 1]];
  let [start, end] = [child.offset, endOf(child)];
  if (previous !== undefined) start = endOf(previous);
  else if (next !== undefined) end = next.offset;
  else if (container !== undefined) [start, end] = [container.offset + 1, endOf(container) - 1];
  return text.slice(0, start) + text.slice(end);
}

/** Applies insertions with different offsets. Returns where the inserted texts are in the result. */
export function applyInsertions(
  text: string,
  insertions: readonly Insertion[],
): { readonly text: string; readonly ranges: readonly TextRange[] } {
  const ranges: TextRange[] = [];
  let result = '';
  let read = 0;
  for (const { offset, text: inserted } of [...insertions].sort((a, b) => a.offset - b.offset)) {
    result += text.slice(read, offset);
    ranges.push({ offset: result.length, length: inserted.length });
    result += inserted;
    read = offset;
  }
  return { text: result + text.slice(read), ranges };
}

export interface TextRange {
  readonly offset: number;
  readonly length: number;
}

/** Removes ranges of a text, in the order in which `applyInsertions` returned them. */
export function removeRanges(text: string, ranges: readonly TextRange[]): string {
  let result = '';
  let read = 0;
  for (const { offset, length } of ranges) {
    result += text.slice(read, offset);
    read = offset + length;
  }
  return result + text.slice(read);
}

/** Returns the indentation of one level. Null if the file is on one line. */
function indentationUnit(text: string, node: Node): string | null {
  let root = node;
  while (root.parent !== undefined) root = root.parent;
  const [first] = root.children ?? [];
  if (first === undefined) return DEFAULT_INDENTATION;
  if (!text.slice(root.offset, first.offset).includes('\n')) return null;
  return lineIndentation(text, first.offset) || DEFAULT_INDENTATION;
}

/** Returns the space at the beginning of the line with an offset. */
function lineIndentation(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  return line.slice(0, line.length - line.trimStart().length);
}

function endOf({ offset, length }: Node): number {
  return offset + length;
}
