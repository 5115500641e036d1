import { toPrintableLine } from '../../../shared/sanitize/index.js';
import { FailureLines } from './failure-lines.js';

const MAX_LINE_LENGTH = 500;
/** Longest partial line that is kept, in UTF-16 units. */
const MAX_PARTIAL_LENGTH = 16_384;
/** Maximum length of the lines that an error message quotes, in UTF-16 units. */
const MAX_QUOTED_LENGTH = 1_000;

const KEY_BEGINS = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY/;
const KEY_ENDS = '-----END ';
/** Line within a private key: base64, possibly with a prefix, or a header. */
const KEY_LINE = /^\S*$|[A-Za-z0-9+/=]{40}|^(?:Proc-Type|DEK-Info|Comment|Version): /;

/** Keeps the lines of a child's output that name the reason of its end, without secrets. */
export class OutputTail {
  readonly #lines = new FailureLines();
  readonly #onLine: (line: string) => void;
  #partialLine = '';
  /** Whether the current line is within a private key. A single line of it does not look like a secret. */
  #isInKey = false;

  constructor(onLine: (line: string) => void = () => undefined) {
    this.#onLine = onLine;
  }

  /** Whether a line names an error. */
  get hasError(): boolean {
    return this.#lines.hasError;
  }

  push(chunk: string): void {
    const lines = (this.#partialLine + chunk).split('\n');
    this.#partialLine = truncateStart(lines.pop() ?? '');
    for (const line of lines) {
      const printable = this.#isKeyLine(line) ? '' : toPrintableLine(withoutPrefix(line), MAX_LINE_LENGTH);
      if (printable === '') continue;
      this.#lines.push(printable, isIndented(line));
      this.#onLine(printable);
    }
  }

  /** Returns the lines that name the reason, joined with ` | `. Empty if there are none. */
  toString(): string {
    // More of the line may follow, so that it may end within a secret.
    const partial = this.#isInKey ? '' : toPrintableLine(withoutPrefix(this.#partialLine), MAX_LINE_LENGTH, true);
    const lines = this.#lines.with(partial, isIndented(this.#partialLine)).select();
    return toPrintableLine(lines.join(' | '), MAX_QUOTED_LENGTH);
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

/** Removes the bars with which Python indents the errors of a group. */
function withoutPrefix(line: string): string {
  return line.replace(/^(?: {2}){1,8}\| ?/, '');
}

function isIndented(line: string): boolean {
  return /^\s/.test(withoutPrefix(line));
}
