import { toPrintableLine } from '../../../shared/sanitize/index.js';

const MAX_LINES = 20;
const MAX_LINE_LENGTH = 500;
/** Of a line that has not ended yet. */
const MAX_REST_LENGTH = 16_384;
/** As many as an error message bears. */
const LINES_IN_MESSAGE = 3;

const KEY_BEGINS = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY/;
const KEY_ENDS = '-----END ';
/** What stands in between: words of base64, maybe behind something, and headers. */
const IN_KEY = /^\S*$|[A-Za-z0-9+/=]{40}|^(?:Proc-Type|DEK-Info|Comment|Version): /;

/** Keeps the last lines that a child process wrote to its standard error, for the message of an error. */
export class StderrTail {
  readonly #lines: string[] = [];
  readonly #onLine: (line: string) => void;
  #rest = '';
  /** By itself, a line out of a private key does not look like a secret. */
  #isInKey = false;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = endOf(lines.pop() ?? '');
    for (const line of lines) {
      const clean = this.#isOfKey(line) ? '' : toPrintableLine(line, MAX_LINE_LENGTH);
      if (clean === '') continue;
      this.#lines.push(clean);
      if (this.#lines.length > MAX_LINES) this.#lines.shift();
      this.#onLine(clean);
    }
  }

  /** The last few in one line; empty when nothing was written. */
  toString(): string {
    return [...this.#lines, this.#isInKey ? '' : toPrintableLine(this.#rest, MAX_LINE_LENGTH)]
      .filter((line) => line !== '')
      .slice(-LINES_IN_MESSAGE)
      .join(' | ');
  }

  /** Whether it is one of the lines after the first of a private key. */
  #isOfKey(line: string): boolean {
    const isOfKey = this.#isInKey && (IN_KEY.test(line.trim()) || line.includes(KEY_ENDS));
    this.#isInKey = (isOfKey || KEY_BEGINS.test(line)) && !line.includes(KEY_ENDS);
    return isOfKey;
  }
}

/** Of a line that is too long, the end: from a space on, because half of a secret is not known as one. */
function endOf(line: string): string {
  return line.length <= MAX_REST_LENGTH ? line : line.slice(-MAX_REST_LENGTH).replace(/^\S*/, '');
}
