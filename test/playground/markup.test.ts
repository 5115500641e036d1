import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const PLAYGROUND = fileURLToPath(new URL('../../playground', import.meta.url));

/** Names of APIs that turn text into markup or code. */
const MARKUP_APIS = new Set([
  ...['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'setHTML', 'setHTMLUnsafe', 'srcdoc', 'write', 'writeln'],
  ...[
    'createContextualFragment',
    'parseFromString',
    'DOMParser',
    'eval',
    'Function',
    'javascript:',
    'dangerouslySetInnerHTML',
  ],
]);

/** Lists identifiers and strings of a program that turn text into markup: `a.innerHTML`, `a['innerHTML']`, `{ innerHTML }`. */
function listMarkupApis(file: string, text: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const isName = ts.isIdentifier(node) || ts.isStringLiteralLike(node);
    if (isName && (MARKUP_APIS.has(node.text) || /^on(?!ce$)[a-z]+$/.test(node.text)))
      found.push(`${file}: ${node.text}`);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, false, ts.ScriptKind.TSX));
  return found;
}

describe('playground', () => {
  test('uses no API that turns text of servers into markup or code', () => {
    const files = readdirSync(PLAYGROUND, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));
    expect(files.length).toBeGreaterThan(5);
    expect(files.flatMap((file) => listMarkupApis(file, readFileSync(join(PLAYGROUND, file), 'utf8')))).toEqual([]);
  });

  test('has no inline scripts', () => {
    const page = readFileSync(join(PLAYGROUND, 'index.html'), 'utf8');
    expect(page).not.toMatch(/\son[a-z]+\s*=|javascript:|<script(?![^>]*\ssrc=)/i);
  });

  test.each([
    'a.innerHTML = b',
    "a['outerHTML'] = b",
    'document.write(b)',
    'new Function(b)',
    "a.setAttribute('onclick', b)",
    'const a = <p dangerouslySetInnerHTML={{ __html: b }} />',
  ])('detects %s', (text) => {
    expect(listMarkupApis('a.tsx', text)).toHaveLength(1);
  });
});
