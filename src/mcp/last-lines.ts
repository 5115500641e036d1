import { printable } from './printable.js';

const MAX_LINES = 20;
const MAX_LINE_LENGTH = 500;
/** As many as an error message bears. */
const LINES_IN_MESSAGE = 3;

/** Keeps the last lines that a child process wrote to its standard error, for the message of an error. */
export class LastLines {
  readonly #lines: string[] = [];
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = (lines.pop() ?? '').slice(-MAX_LINE_LENGTH);
    for (const line of lines) {
      const clean = printable(line, MAX_LINE_LENGTH);
      if (clean === '') continue;
      this.#lines.push(clean);
      if (this.#lines.length > MAX_LINES) this.#lines.shift();
      this.#onLine(clean);
    }
  }

  /** The last few in one line; empty when nothing was written. */
  toString(): string {
    return [...this.#lines, printable(this.#rest, MAX_LINE_LENGTH)]
      .filter((line) => line !== '')
      .slice(-LINES_IN_MESSAGE)
      .join(' | ');
  }
}
