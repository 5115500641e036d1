import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TextPattern } from '../../src/shared/patterns/index.js';
import { growsTooFast } from '../support/growth.js';
import { runs } from '../support/fuzz-inputs.js';

function findAll(pattern: string, text: string): readonly Readonly<Record<string, string>>[] {
  return [...new TextPattern(pattern).findAll(text)].filter((groups) => groups !== null);
}

describe('TextPattern', () => {
  test('finds all matches with their named groups', () => {
    expect(findAll('^(?<id>\\w+)(?:=(?<value>\\w+))?$', 'a=1\nb\n?\nc=3')).toEqual([
      { id: 'a', value: '1' },
      { id: 'b' },
      { id: 'c', value: '3' },
    ]);
  });

  test('skips empty matches', () => {
    expect(findAll('(?<id>a*)', 'baab')).toEqual([{ id: 'aa' }]);
  });

  test('finds matches of several lines anywhere in a long text', () => {
    const section = (index: number): string =>
      `## Task ${index}\n\n${'filler text\n'.repeat(index % 40)}**ID:** t${index}\n\n`;
    const text = Array.from({ length: 1_000 }, (_, index) => section(index)).join('');
    const found = findAll('^## (?<name>.+)\\n(?:[^#*\\n].*\\n|\\n)*?\\*\\*ID:\\*\\* (?<id>\\w+)$', text);
    expect(found).toHaveLength(1_000);
    expect(found[999]).toEqual({ name: 'Task 999', id: 't999' });
  });

  test('does not take the begin of a part of a long line for the begin of the line', () => {
    for (const length of [4_094, 4_095, 4_096, 8_191, 20_000])
      expect(findAll('^(?<id>a)', `a${'b'.repeat(length)}${'a'.repeat(12_000)}\na`)).toEqual([
        { id: 'a' },
        { id: 'a' },
      ]);
  });

  test('searches a bounded part of the text in each step', () => {
    const text = `${'x '.repeat(60_000)}\n`;
    const steps = [...new TextPattern('(?<id>(?:\\w+ )*)!').findAll(text)];
    expect(steps.length).toBeGreaterThanOrEqual(26);
    expect(steps.every((step) => step === null)).toBe(true);
  });

  test.each(['(?<id>(?:[a-y]?){60}[a-y]{60})[0-9]', '(?<id>(?:a+)+b)', '(?<id>(?:.*,)*x)', '^(?<id>.*)$'])(
    'takes linear time for the pattern %s',
    async (pattern) => {
      const expression = new TextPattern(pattern);
      const grows = await growsTooFast((size) => {
        const text = 'abcdefghijklm,aaaaaaaaaaaaaaaa '.repeat(size);
        return () => [...expression.findAll(text)];
      }, 1_000);
      expect(grows).toBe(false);
    },
  );

  test('for any texts: finds what the regular expression of JavaScript finds', () => {
    const word = fc.constantFrom('a', 'b', '\n', '- ', 'x'.repeat(3_000), 'ab\n');
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (words) => {
        const text = words.join('');
        const expected = [...text.matchAll(/^- (?<id>[ab]+)$/gm)].map(({ groups }) => ({ ...groups }));
        expect(findAll('^- (?<id>[ab]+)$', text)).toEqual(expected);
      }),
      runs(200),
    );
  });
});
