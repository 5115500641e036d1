import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { page } from './page.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const PAGES = [
  'README.md',
  'SECURITY.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
];

/** A heading's anchor, as GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}

/** Links of a page that lead nowhere: to a file that is not there, or to a heading that it does not have. */
function broken(path: string): readonly string[] {
  const text = page(path).replace(/^```.*?^```$/gms, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [file = '', anchor] = link.split('#', 2);
    const target = file === '' ? path : join(dirname(path), file);
    if (!existsSync(join(ROOT, target))) return [`${path}: ${link}`];
    if (anchor === undefined) return [];
    const headings = [...page(target).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));
    return headings.includes(anchor) ? [] : [`${path}: ${link}`];
  });
}

/** Paths of the project in `…`, such as `src/state/changes-since.ts`, that are not there; a folder of results (`…/`) need not be. */
function missing(path: string): readonly string[] {
  const named = page(path).matchAll(/`((?:src|test|docs|bench|scripts|deploy|examples|playground)\/[\w./-]*\w)`/g);
  return [...named].flatMap(([, target = '']) => (existsSync(join(ROOT, target)) ? [] : [`${path}: ${target}`]));
}

test('links in the README, SECURITY.md and docs/ lead somewhere', () => {
  expect(PAGES.length).toBeGreaterThan(30);
  expect(PAGES.flatMap(broken)).toEqual([]);
});

test('files that they name are there', () => {
  expect(PAGES.flatMap(missing)).toEqual([]);
});

test('every `npm run …` that they name is a script', () => {
  const { scripts } = JSON.parse(page('package.json')) as { scripts: Readonly<Record<string, string>> }; // of npm
  const named = PAGES.flatMap((path) => [...page(path).matchAll(/npm run (?:--silent )?([a-z][\w:-]*)/g)]);
  expect(named.length).toBeGreaterThan(10);
  expect(named.map(([, name = '']) => name).filter((name) => !(name in scripts))).toEqual([]);
});
