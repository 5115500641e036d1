const bytes = (texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text));

/** Bytes between messages that are lines. */
export const LINES = bytes([
  '🐝 starting …\n',
  '\n',
  '{"not":"a message"}\n[1,2\n',
  '\u001b[32m[INFO]\u001b[0m called\r\n',
]);

/** Events between messages that are events of a stream. */
export const EVENTS = bytes([
  ': nothing\n\n',
  'data: 🐝 starting …\n\n',
  'data: {"not":"a message"}\n\n',
  'event: other\ndata: 1\n\n',
]);
