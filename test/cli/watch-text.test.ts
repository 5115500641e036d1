import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import {
  dropLastGrapheme,
  padTo,
  toTerminalText,
  truncateEnd,
  truncateMiddle,
  widthOf,
  wrapText,
} from '../../src/cli/watch/terminal-text.js';
import { runs } from '../support/fuzz-inputs.js';
import { TERMINAL_TEXT } from './terminal-texts.js';

const width = fc.integer({ min: 0, max: 30 });

describe('toTerminalText', () => {
  test.each([
    ['\u001b[31mred\u001b[0m', ' [31mred [0m'],
    ['a\r\nb\tc', 'a b c'],
    ['x\u202ey', 'x y'],
    ['👩‍💻 ❤️ 👍🏽 1️⃣', '👩💻 ❤ 👍 1'],
    ['e\u0301', 'é'],
    [`a${'\u0316'.repeat(50)}b`, `a${'\u0316'.repeat(4)}b`],
    ['\ud800x', ' x'],
  ])('converts %j to %j', (text, expected) => {
    expect(toTerminalText(text)).toBe(expected);
  });

  test('for any text: the result contains no control characters and converts to itself', () => {
    fc.assert(
      fc.property(TERMINAL_TEXT, (text) => {
        const printable = toTerminalText(text);
        expect(printable).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        expect(toTerminalText(printable)).toBe(printable);
      }),
      runs(300),
    );
  });
});

describe('truncateEnd and truncateMiddle', () => {
  test.each([
    [truncateEnd, '日本語のエージェント', 8, '日本語…'],
    [truncateEnd, '日本', 3, '日…'],
    [truncateEnd, 'abc', 0, ''],
    [truncateMiddle, 'research-agent-0042', 11, 'resea…-0042'],
    [truncateMiddle, '日本語のエージェント', 9, '日本…ント'],
    [truncateMiddle, 'abcdef', 4, 'abc…'],
  ])('%o shortens %j to %i columns', (truncate, text, columns, expected) => {
    expect(truncate(text, columns)).toBe(expected);
  });

  test('for any text and width: the result fits, and equals the text if the text fits', () => {
    fc.assert(
      fc.property(TERMINAL_TEXT.map(toTerminalText), width, (text, columns) => {
        for (const truncate of [truncateEnd, truncateMiddle]) {
          const result = truncate(text, columns);
          expect(stringWidth(result)).toBeLessThanOrEqual(columns);
          if (stringWidth(text) <= columns) expect(result).toBe(text);
        }
      }),
      runs(300),
    );
  });
});

describe('wrapText', () => {
  test('breaks at spaces, and within words that are too long', () => {
    expect(wrapText('one two three', 8)).toEqual(['one two', 'three']);
    expect(wrapText('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij']);
    expect(wrapText('日本語', 1)).toEqual(['']);
  });

  test('for any text and width: each line fits', () => {
    fc.assert(
      fc.property(TERMINAL_TEXT.map(toTerminalText), fc.integer({ min: 1, max: 30 }), (text, columns) => {
        for (const line of wrapText(text, columns)) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
      }),
      runs(300),
    );
  });
});

test('padTo counts wide characters twice', () => {
  expect([padTo('日', 4), padTo('日', 4, 'right'), widthOf('日…–')]).toEqual(['日  ', '  日', 4]);
});

test('dropLastGrapheme removes a base character with its marks', () => {
  expect([dropLastGrapheme('ax\u0316'), dropLastGrapheme('')]).toEqual(['a', '']);
});
