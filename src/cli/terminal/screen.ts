import type { Writable } from 'node:stream';

/** A terminal, or what stands in for one: all but `write` is there only where it is a terminal. */
export interface TerminalOutput extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** What a terminal has that does not say. */
const USUAL: TerminalSize = { columns: 80, rows: 24 };

/** The second page of a terminal, on which nothing scrolls, and no cursor; and back to how it was. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** A terminal that is drawn anew in place, and left as it was when this is disposed of. */
export class Screen implements Disposable {
  readonly #output: TerminalOutput;
  readonly #onResize: () => void;
  #drawn = '';

  /** @param onResize its size has changed: draw again */
  constructor(output: TerminalOutput, onResize: () => void) {
    this.#output = output;
    this.#onResize = onResize;
    output.on('resize', this.#resized);
    output.write(ENTER);
  }

  get size(): TerminalSize {
    return { columns: this.#output.columns ?? USUAL.columns, rows: this.#output.rows ?? USUAL.rows };
  }

  /** Unless it shows that already, or has not taken what came before. @param lines as many as fit, and as wide */
  draw(lines: readonly string[]): void {
    // Cleared before it is written: behind a line that fills the window, its last character would go too.
    const drawn = lines.map((line) => `${CLEAR_LINE}${line}`).join('\r\n');
    // The last line of a window has no line feed, which would scroll.
    const text = lines.length < this.size.rows ? `${drawn}\r\n${CLEAR_BELOW}` : drawn;
    if (text === this.#drawn || this.#output.writableNeedDrain) return;
    this.#drawn = text;
    this.#output.write(`${HOME}${text}`);
  }

  [Symbol.dispose](): void {
    this.#output.off('resize', this.#resized);
    this.#output.write(LEAVE);
  }

  readonly #resized = (): void => {
    this.#drawn = '';
    this.#onResize();
  };
}
