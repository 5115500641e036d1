import fc from 'fast-check';

/** Texts with wide characters, emoji, combining characters, control characters and characters of the whole Unicode range. */
export const TERMINAL_TEXT = fc
  .array(
    fc.oneof(
      fc.constantFrom('日', '本', '한국', 'ｱ', '　', '👩‍💻', '❤️', '👍🏽', '1️⃣', '🇩🇪', '🇩', '🏳️‍🌈', '⌚', '☎'),
      fc.constantFrom('e\u0301', '\u0301', '\u0316', 'कि', '\u1100', '\u1161', 'ൎ', '\u0345', 'ﷺ', '\u200b', '\u00ad'),
      fc.constantFrom('\u001b[2J', '\u001b]0;x\u0007', '\u202e', '\r\n', '\t', '\ud800', '\u009b31m', '\u2028'),
      fc.string({ unit: 'binary', maxLength: 6 }),
      fc.string({ unit: 'grapheme-ascii', maxLength: 12 }),
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(''));
