import type { Writable } from 'node:stream';

/** Standard output. The members besides `Writable` exist only if it is a terminal. */
export interface TerminalOutput extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Size of a terminal that does not report its size. */
const DEFAULT_SIZE: TerminalSize = { columns: 80, rows: 24 };

/** Escape sequence that switches to the alternate screen and hides the cursor. */
const ENTER = '\u001b[?1049h\u001b[?25l';
/** Escape sequence that restores the screen and the cursor. */
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** Redraws a full-screen terminal view in place. Restores the terminal when disposed. */
export class Screen implements Disposable {
  readonly #output: TerminalOutput;
  readonly #onResize: () => void;
  #lastText = '';

  /** @param onResize called when the terminal was resized, to draw again */
  constructor(output: TerminalOutput, onResize: () => void) {
    this.#output = output;
    this.#onResize = onResize;
    output.on('resize', this.#resized);
    output.write(ENTER);
  }

  get size(): TerminalSize {
    return { columns: this.#output.columns ?? DEFAULT_SIZE.columns, rows: this.#output.rows ?? DEFAULT_SIZE.rows };
  }

  /**
   * Draws the view, unless it is unchanged or the previous output is still pending.
   * @param lines lines that fit into the terminal
   */
  draw(lines: readonly string[]): void {
    // Each line is cleared before it is written. Clearing after a full line would remove its last character.
    const body = lines.map((line) => `${CLEAR_LINE}${line}`).join('\r\n');
    // A line feed after the last line of the window would scroll.
    const text = lines.length < this.size.rows ? `${body}\r\n${CLEAR_BELOW}` : body;
    if (text === this.#lastText || this.#output.writableNeedDrain) return;
    this.#lastText = text;
    this.#output.write(`${HOME}${text}`);
  }

  [Symbol.dispose](): void {
    this.#output.off('resize', this.#resized);
    this.#output.write(LEAVE);
  }

  readonly #resized = (): void => {
    this.#lastText = '';
    this.#onResize();
  };
}
