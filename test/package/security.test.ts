import { describe, expect, test } from 'vitest';
import config from '../../vitest.config.js';
import { readPage } from '../docs/page.js';
import { findMistake, isOneSentence, parsePromises, parseSuites, runsFile, titlesIn } from './promises.js';

const SUITES = parseSuites(config);

describe('SECURITY.md', () => {
  const promises = parsePromises(readPage('SECURITY.md'));

  test('names a test beside each promise, which exists and runs in a suite', () => {
    expect(promises.length).toBeGreaterThan(40);
    expect(promises.filter(({ tests }) => tests.length === 0).map(({ text }) => text)).toEqual([]);
    const named = promises.flatMap(({ tests }) => tests);
    expect(named.flatMap(({ file, title }) => findMistake(file, title, SUITES) ?? [])).toEqual([]);
  });

  test('consists of promises of one sentence', () => {
    expect(promises.map(({ text }) => text).filter((text) => !isOneSentence(text))).toEqual([]);
  });
});

describe('the check of SECURITY.md', () => {
  const page = (list: string): string =>
    `# Security\n\n## Guarantees\n\nEach promise has tests.\n\n### Group\n\n${list}\n## Not guaranteed\n\n- More.\n`;

  test('reads promises and their tests', () => {
    const list =
      '- One\n  promise.\n  - `test/a.test.ts`:\n    `does one thing`\n  - `test/b.test.ts`: `does "another"`\n- Two.\n';
    expect(parsePromises(page(list))).toEqual([
      {
        text: 'One promise.',
        tests: [
          { file: 'test/a.test.ts', title: 'does one thing' },
          { file: 'test/b.test.ts', title: 'does "another"' },
        ],
      },
      { text: 'Two.', tests: [] },
    ]);
  });

  test.each([
    'A promise outside of the list.',
    '- A promise.\n  - `test/a.test.ts`',
    '- A promise.\n  - test/a.test.ts: title',
  ])('rejects %j', (list) => {
    expect(() => parsePromises(page(`${list}\n`))).toThrow(/^no /);
  });

  test('distinguishes one sentence from several', () => {
    expect(['A `b. c` is kept.', 'One (a. b).'].filter(isOneSentence)).toHaveLength(2);
    expect(['One. Two.', 'One; two.', 'No end', 'One (a). Two.'].filter(isOneSentence)).toEqual([]);
  });

  test('reports missing files, titles and suites', () => {
    const self = 'test/package/security.test.ts';
    expect(findMistake(self, 'reports missing files, titles and suites', SUITES)).toBeNull();
    expect(findMistake(self, 'reports', SUITES)).toBe(`${self}: has no test "reports"`);
    expect(findMistake('test/none.test.ts', 'x', SUITES)).toBe('test/none.test.ts: does not exist');
    expect(findMistake('test/package/promises.ts', 'x', SUITES)).toBe('test/package/promises.ts: no suite runs it');
    expect(findMistake(self, 'reports missing files, titles and suites', [])).toBe(`${self}: no suite runs it`);
  });

  test('finds the titles of tests, with and without parameters', () => {
    const source = `describe('a', () => { test('b', f); test.each([1])('c %s', f); test.skip('d', f); other('e'); });
      test.skipIf(x)('f', f); describe.each([])('g', () => test.each\`\`("h", f)); // test('i')
      test(\`j \${k}\`, f);`;
    expect([...titlesIn(source)]).toEqual([
      ['b', false],
      ['c %s', false],
      ['d', true],
      ['f', false],
      ['h', false],
      ['j ${k}', false],
    ]);
  });

  test('matches files with the patterns of a suite', () => {
    const suite = { include: ['test/**/*.test.ts'], exclude: ['test/real/**', '**/node_modules/**'] };
    const files = [
      'test/a.test.ts',
      'test/a/b.test.ts',
      'test/a.ts',
      'test/real/a.test.ts',
      'test/node_modules/a.test.ts',
      'x/test/a.test.ts',
    ];
    expect(files.filter((file) => runsFile(suite, file))).toEqual(['test/a.test.ts', 'test/a/b.test.ts']);
    expect(SUITES.map(({ include }) => include.length)).not.toContain(0);
  });
});
