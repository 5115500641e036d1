import { printable } from './printable.js';

const MAX_LINES = 20;
const MAX_LINE_LENGTH = 500;
/** Of a line that has not ended yet. */
const MAX_REST_LENGTH = 16_384;
/** As many as an error message bears. */
const LINES_IN_MESSAGE = 3;

const KEY_BEGINS = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY/;
const KEY_ENDS = '-----END ';
/** A key has no more lines: what begins as one and does not end is none. */
const MAX_KEY_LINES = 100;

/** Keeps the last lines that a child process wrote to its standard error, for the message of an error. */
export class LastLines {
  readonly #lines: string[] = [];
  readonly #onLine: (line: string) => void;
  #rest = '';
  /** Lines still to be passed over: by itself, one out of a private key does not look like a secret. */
  #keyLines = 0;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = endOf(lines.pop() ?? '');
    for (const line of lines) {
      const isOfKey = this.#keyLines > 0;
      this.#follow(line);
      const clean = isOfKey ? '' : printable(line, MAX_LINE_LENGTH);
      if (clean === '') continue;
      this.#lines.push(clean);
      if (this.#lines.length > MAX_LINES) this.#lines.shift();
      this.#onLine(clean);
    }
  }

  /** The last few in one line; empty when nothing was written. */
  toString(): string {
    return [...this.#lines, this.#keyLines > 0 ? '' : printable(this.#rest, MAX_LINE_LENGTH)]
      .filter((line) => line !== '')
      .slice(-LINES_IN_MESSAGE)
      .join(' | ');
  }

  #follow(line: string): void {
    if (line.includes(KEY_ENDS)) this.#keyLines = 0;
    else if (KEY_BEGINS.test(line)) this.#keyLines = MAX_KEY_LINES;
    else if (this.#keyLines > 0) this.#keyLines -= 1;
  }
}

/** Of a line that is too long, the end: from a space on, because half of a secret is not known as one. */
function endOf(line: string): string {
  return line.length <= MAX_REST_LENGTH ? line : line.slice(-MAX_REST_LENGTH).replace(/^\S*/, '');
}
