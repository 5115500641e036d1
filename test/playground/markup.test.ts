import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const PLAYGROUND = fileURLToPath(new URL('../../playground', import.meta.url));

/** What makes markup or code out of text. */
const MAKES_MARKUP = new Set([
  ...['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'setHTML', 'setHTMLUnsafe', 'srcdoc', 'write', 'writeln'],
  ...['createContextualFragment', 'parseFromString', 'DOMParser', 'eval', 'Function', 'javascript:'],
]);

/** Names and texts of a program by which text could become markup: `a.innerHTML`, `a['innerHTML']`, `{ innerHTML }`. */
function makersOfMarkup(file: string, text: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const isName = ts.isIdentifier(node) || ts.isStringLiteralLike(node);
    if (isName && (MAKES_MARKUP.has(node.text) || /^on(?!ce$)[a-z]+$/.test(node.text)))
      found.push(`${file}: ${node.text}`);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest));
  return found;
}

describe('the playground', () => {
  test('makes neither markup nor code of what servers say', () => {
    const files = readdirSync(PLAYGROUND, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    expect(files.length).toBeGreaterThan(5);
    expect(files.flatMap((file) => makersOfMarkup(file, readFileSync(join(PLAYGROUND, file), 'utf8')))).toEqual([]);
  });

  test('has no code in its markup', () => {
    const page = readFileSync(join(PLAYGROUND, 'index.html'), 'utf8');
    expect(page).not.toMatch(/\son[a-z]+\s*=|javascript:|<script(?![^>]*\ssrc=)/i);
  });

  test.each([
    'a.innerHTML = b',
    "a['outerHTML'] = b",
    'document.write(b)',
    'new Function(b)',
    "a.setAttribute('onclick', b)",
  ])('a breach is found: %s', (text) => {
    expect(makersOfMarkup('a.ts', text)).toHaveLength(1);
  });
});
