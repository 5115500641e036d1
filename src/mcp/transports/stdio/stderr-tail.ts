import { toPrintableLine } from '../../../shared/sanitize/index.js';

const MAX_LINES = 20;
const MAX_LINE_LENGTH = 500;
/** Longest partial line that is kept, in UTF-16 units. */
const MAX_PARTIAL_LENGTH = 16_384;
/** Number of lines that an error message quotes. */
const LINES_IN_MESSAGE = 3;

const KEY_BEGINS = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY/;
const KEY_ENDS = '-----END ';
/** Line within a private key: base64, possibly with a prefix, or a header. */
const KEY_LINE = /^\S*$|[A-Za-z0-9+/=]{40}|^(?:Proc-Type|DEK-Info|Comment|Version): /;

/** Keeps the last lines of a child's standard error for error messages, without secrets. */
export class StderrTail {
  readonly #lines: string[] = [];
  readonly #onLine: (line: string) => void;
  #partialLine = '';
  /** Whether the current line is within a private key. A single line of it does not look like a secret. */
  #isInKey = false;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: string): void {
    const lines = (this.#partialLine + chunk).split('\n');
    this.#partialLine = truncateStart(lines.pop() ?? '');
    for (const line of lines) {
      const printable = this.#isKeyLine(line) ? '' : toPrintableLine(line, MAX_LINE_LENGTH);
      if (printable === '') continue;
      this.#lines.push(printable);
      if (this.#lines.length > MAX_LINES) this.#lines.shift();
      this.#onLine(printable);
    }
  }

  /** Returns the last lines joined with ` | `. Empty if there are none. */
  toString(): string {
    // More of the line may follow, so that it may end within a secret.
    const partial = this.#isInKey ? '' : toPrintableLine(this.#partialLine, MAX_LINE_LENGTH, true);
    return [...this.#lines, partial]
      .filter((line) => line !== '')
      .slice(-LINES_IN_MESSAGE)
      .join(' | ');
  }

  /** Whether a line belongs to a private key, not counting its first line. */
  #isKeyLine(line: string): boolean {
    const isKeyLine = this.#isInKey && (KEY_LINE.test(line.trim()) || line.includes(KEY_ENDS));
    this.#isInKey = (isKeyLine || KEY_BEGINS.test(line)) && !line.includes(KEY_ENDS);
    return isKeyLine;
  }
}

/** Shortens a line from the start, up to a space, and marks the cut, so that half of a secret is recognized. */
function truncateStart(line: string): string {
  return line.length <= MAX_PARTIAL_LENGTH ? line : line.slice(-MAX_PARTIAL_LENGTH).replace(/^\S*/, '…');
}
