import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { parse as parseToml, TomlError } from 'smol-toml';

/** Maximum nesting of a file, deeper than any configuration. */
const MAX_DEPTH = 100;

/** Parsed content of a configuration file. */
export interface ConfigDocument {
  readonly value: unknown;
  /** Returns the line of a key. Null for an empty path, and if the line is unknown. */
  lineOf(path: readonly PropertyKey[]): number | null;
  /** Paths of keys that occur again in the same object. The last occurrence has replaced the others. */
  readonly duplicates: readonly (readonly string[])[];
}

/** Thrown for a file that cannot be parsed. The message has line and column, and does not quote the text. */
export class DocumentSyntaxError extends Error {
  override readonly name = 'DocumentSyntaxError';
}

/**
 * Parses TOML if the name of the file ends with `.toml`, and otherwise JSON with comments and trailing commas.
 * @throws DocumentSyntaxError
 */
export function parseDocument(text: string, file: string): ConfigDocument {
  return file.toLowerCase().endsWith('.toml') ? parseTomlDocument(text) : parseJsonDocument(text);
}

function parseTomlDocument(text: string): ConfigDocument {
  try {
    const value = parseToml(text, { maxDepth: MAX_DEPTH });
    const lines = findTomlLines(text);
    // Keys of inline tables are on the line of the table.
    const lineOf = (path: readonly PropertyKey[]): number | null =>
      path.length === 0 ? null : (lines.get(JSON.stringify(path.map(String))) ?? lineOf(path.slice(0, -1)));
    return { value, lineOf, duplicates: [] };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // Further lines of the message quote the text, which may contain a secret.
    const [reason = ''] = error.message.replace(/^Invalid TOML document: /, '').split('\n', 1);
    throw new DocumentSyntaxError(`is not TOML – line ${error.line}, column ${error.column}: ${reason}`);
  }
}

/** Returns the line of each table and key, by its path as JSON. The parser does not report it. */
function findTomlLines(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  let table: readonly string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const [start = ''] = line.trimStart();
    const isTable = start === '[';
    const equals = line.indexOf('=');
    if (start === '#' || (!isTable && equals < 0)) continue;
    const names = line.slice(0, isTable ? undefined : equals).match(TOML_NAME) ?? [];
    const keys = names.map((name) => (/^["']/.test(name) ? name.slice(1, -1) : name));
    if (isTable) table = keys;
    const path = isTable ? table : [...table, ...keys];
    for (let length = 1; length <= path.length; length += 1) {
      const key = JSON.stringify(path.slice(0, length));
      if (!lines.has(key) || length === path.length) lines.set(key, index + 1);
    }
  }
  return lines;
}

const TOML_NAME = /"[^"]*"|'[^']*'|[\w-]+/g;

function parseJsonDocument(text: string): ConfigDocument {
  checkDepth(text);
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined)
    throw jsonError(text, error.offset, REASONS[printParseErrorCode(error.error)] ?? 'cannot be parsed');
  if (root === undefined) throw jsonError(text, text.length, 'the file is empty');
  const reader = new TreeReader();
  const value = reader.read(root, []);
  return {
    value,
    lineOf: (path) => {
      const offset = path.length === 0 ? undefined : reader.offsets.get(JSON.stringify(path.map(String)));
      return offset === undefined ? null : positionOf(text, offset).line;
    },
    duplicates: reader.duplicates,
  };
}

/** Converts a tree to its value. Unlike the converter of the library, defines every key as an own property, also `__proto__`. */
class TreeReader {
  /** Offset of each key and list item, by its path as JSON. */
  readonly offsets = new Map<string, number>();
  readonly duplicates: string[][] = [];

  read(node: Node, path: readonly string[]): unknown {
    const children = node.children ?? [];
    if (node.type === 'array')
      return children.map((item, index) => {
        const itemPath = [...path, String(index)];
        this.offsets.set(JSON.stringify(itemPath), item.offset);
        return this.read(item, itemPath);
      });
    if (node.type !== 'object') return node.value;
    const values = new Map<string, unknown>();
    for (const { children: [key, value] = [] } of children) {
      if (key === undefined || value === undefined) continue;
      const name = String(key.value);
      const keyPath = [...path, name];
      if (values.has(name)) this.duplicates.push(keyPath);
      this.offsets.set(JSON.stringify(keyPath), key.offset);
      values.set(name, this.read(value, keyPath));
    }
    return Object.fromEntries(values);
  }
}

/** Rejects a file that is nested so deeply that the parser, which is recursive, would exceed its stack. */
function checkDepth(text: string): void {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (scanner.scan(); scanner.getTokenOffset() < text.length; scanner.scan()) {
    const token = scanner.getTokenLength() === 1 ? text[scanner.getTokenOffset()] : '';
    if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') depth -= 1;
    if (depth > MAX_DEPTH)
      throw jsonError(text, scanner.getTokenOffset(), `is nested more than ${MAX_DEPTH} levels deep`);
  }
}

function jsonError(text: string, offset: number, reason: string): DocumentSyntaxError {
  const { line, column } = positionOf(text, offset);
  return new DocumentSyntaxError(`is not JSON – line ${line}, column ${column}: ${reason}`);
}

function positionOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const lines = text.slice(0, offset).split('\n');
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

/** Reasons of syntax errors. They quote nothing of the text, which may contain a secret. */
const REASONS: Readonly<Record<string, string>> = {
  InvalidSymbol: 'expected a value (a text needs double quotes)',
  InvalidNumberFormat: 'a number is malformed',
  PropertyNameExpected: 'expected a key in double quotes',
  ValueExpected: 'expected a value',
  ColonExpected: 'expected a colon after the key',
  CommaExpected: 'expected a comma',
  CloseBraceExpected: 'expected a closing brace',
  CloseBracketExpected: 'expected a closing bracket',
  EndOfFileExpected: 'expected the end of the file',
  InvalidCommentToken: 'a comment is malformed',
  UnexpectedEndOfComment: 'a comment does not end',
  UnexpectedEndOfString: 'a text does not end',
  UnexpectedEndOfNumber: 'a number does not end',
  InvalidUnicode: 'a \\u sequence is malformed',
  InvalidEscapeCharacter: 'a backslash sequence is malformed (write a backslash of a path twice)',
  InvalidCharacter: 'a text contains a control character',
};
