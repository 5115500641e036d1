import type { Readable } from 'node:stream';

const MAX_LINES = 20;
const MAX_LINE_LENGTH = 500;

/** Reads a stream to its end and keeps its last lines, for the message of an error. */
export class LastLines {
  readonly #lines: string[] = [];
  #rest = '';

  constructor(stream: Readable, onLine: (line: string) => void) {
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      const lines = (this.#rest + chunk).split('\n');
      this.#rest = (lines.pop() ?? '').slice(-MAX_LINE_LENGTH);
      for (const line of lines) {
        const clean = printable(line);
        if (clean === '') continue;
        this.#lines.push(clean);
        if (this.#lines.length > MAX_LINES) this.#lines.shift();
        onLine(clean);
      }
    });
    stream.on('error', () => undefined);
  }

  /** The last few, in one line. */
  toString(): string {
    return [...this.#lines, printable(this.#rest)]
      .filter((line) => line !== '')
      .slice(-3)
      .join(' | ');
  }
}

/** Without control characters and terminal colours: what a server writes is data. */
function printable(line: string): string {
  return line
    .replace(TERMINAL_COLOUR, '')
    .replace(/\p{Cc}/gu, '')
    .trim()
    .slice(0, MAX_LINE_LENGTH);
}

const TERMINAL_COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
