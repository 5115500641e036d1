import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import ts from 'typescript';

const SOURCES = ['src', 'packages/client/src', 'playground'];
/** Characters of the classes that patterns name. */
const CLASSES: Readonly<Record<string, string>> = {
  d: '7',
  D: 'x',
  w: 'a',
  W: '!',
  s: ' ',
  S: 'x',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** Returns all regular expressions of the program. */
function listPatterns(): readonly string[] {
  const files = SOURCES.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  ).filter((file) => /\.tsx?$/.test(file));
  return files.flatMap((file) => {
    const patterns: string[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node)) patterns.push(node.text.slice(1, node.text.lastIndexOf('/')));
      ts.forEachChild(node, visit);
    };
    visit(
      ts.createSourceFile(
        file,
        readFileSync(file, 'utf8'),
        ts.ScriptTarget.Latest,
        false,
        file.endsWith('.tsx') ? ts.ScriptKind.TSX : ts.ScriptKind.TS,
      ),
    );
    return patterns;
  });
}

/** Returns the words and characters that occur in a pattern, so that texts of them match parts of it. */
function tokensOf(pattern: string): readonly string[] {
  const tokens: string[] = [];
  let word = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] ?? '';
    if (META_CHARACTERS.has(character)) {
      tokens.push(word);
      word = '';
      continue;
    }
    const escape = character === '\\' ? ESCAPE.exec(pattern.slice(at, at + 6)) : null;
    const [whole = character, code, letter = ''] = escape ?? [];
    if (code !== undefined) word += String.fromCharCode(Number.parseInt(code, 16));
    else word += escape === null ? character : (CLASSES[letter] ?? letter);
    at += whole.length - 1;
  }
  return [...tokens, word].filter((token) => token !== '' && token.length <= 24);
}

const META_CHARACTERS: ReadonlySet<string> = new Set('()[]{}|*+?^$.');
const ESCAPE = /^\\(?:u([0-9a-fA-F]{4})|(.))/;

/** Characters with a meaning in the formats that the program reads. */
const COMMON: readonly string[] = [
  ...Array.from('"\'\\{}[]()<>:;,=@/?&#%!~|+-_.*$ \t\r\n\u0000\u001b\u009b\u0085\u2028\ud800\ufeff7aAé🐝'),
  ...['://', '\\"', '\\u0041', '${'],
];

export const PATTERN_TOKENS: readonly string[] = [...new Set([...listPatterns().flatMap(tokensOf), ...COMMON])];

/** Text that repeats a short unit. */
export interface RepetitiveText {
  readonly prefix: string;
  readonly unit: string;
  readonly suffix: string;
}

const token = fc.oneof(fc.constantFrom(...PATTERN_TOKENS), fc.constantFrom(...COMMON));

/** Texts of the tokens of all patterns: a repeated combination of up to three, between two others. */
export const repetitiveText: fc.Arbitrary<RepetitiveText> = fc.record({
  prefix: fc.array(token, { maxLength: 2 }).map((tokens) => tokens.join('')),
  unit: fc.array(token, { minLength: 1, maxLength: 3 }).map((tokens) => tokens.join('')),
  suffix: fc.array(token, { maxLength: 1 }).map((tokens) => tokens.join('')),
});

/** Repeats the unit up to a length in UTF-16 units. */
export function buildText({ prefix, unit, suffix }: RepetitiveText, length: number): string {
  const count = Math.max(1, Math.ceil((length - prefix.length - suffix.length) / unit.length));
  return prefix + unit.repeat(count) + suffix;
}
