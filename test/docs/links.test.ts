import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readPage } from './page.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const PAGES = [
  'README.md',
  'SECURITY.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
];

/** Returns the anchor that GitHub creates for a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}

/** Returns the links of a page whose file or heading does not exist. */
function findBrokenLinks(path: string): readonly string[] {
  const text = readPage(path).replace(/^```.*?^```$/gms, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [file = '', anchor] = link.split('#', 2);
    const target = file === '' ? path : join(dirname(path), file);
    if (!existsSync(join(ROOT, target))) return [`${path}: ${link}`];
    if (anchor === undefined) return [];
    const headings = [...readPage(target).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));
    return headings.includes(anchor) ? [] : [`${path}: ${link}`];
  });
}

/** Returns the paths in code spans of a page that do not exist. Folders of generated files, which end in `/`, may be missing. */
function findMissingPaths(path: string): readonly string[] {
  const named = readPage(path).matchAll(/`((?:src|test|docs|bench|scripts|deploy|examples|playground)\/[\w./-]*\w)`/g);
  return [...named].flatMap(([, target = '']) => (existsSync(join(ROOT, target)) ? [] : [`${path}: ${target}`]));
}

describe('pages of the documentation', () => {
  test('contain only links to existing files and headings', () => {
    expect(PAGES.length).toBeGreaterThan(30);
    expect(PAGES.flatMap(findBrokenLinks)).toEqual([]);
  });

  test('name only files that exist', () => {
    expect(PAGES.flatMap(findMissingPaths)).toEqual([]);
  });

  test('name only npm scripts that exist', () => {
    const { scripts } = JSON.parse(readPage('package.json')) as { scripts: Readonly<Record<string, string>> }; // format of npm
    const named = PAGES.flatMap((path) => [...readPage(path).matchAll(/npm run (?:--silent )?([a-z][\w:-]*)/g)]);
    expect(named.length).toBeGreaterThan(10);
    expect(named.map(([, name = '']) => name).filter((name) => !(name in scripts))).toEqual([]);
  });
});
