/** Maximum number of lines that are kept. */
const MAX_LINES = 20;
/** Number of last lines that are quoted if none of them names an error. */
const LAST_LINES = 3;
/** Number of lines after the name of an error that are quoted, because a message may have several. */
const MESSAGE_LINES = 2;

/** Line that names an error. `TypeError [ERR_X]: text`, `pkg.module.CustomError: text` and others. */
const ERROR_NAME = /^(?:Uncaught )?\[?[\w.$]{0,100}(?:Error|Exception|Failure|Rejection)(?: \[\w{1,60}\])?(?::|$)/;
const ERROR_WORD =
  /^(?:npm (?:error|ERR!)|\[?(?:fatal|error|panic|critical)\b|Exception in thread |thread '[^']{0,100}' panicked )/i;
const NODE_FRAME = /^at \S/;
const PYTHON_FRAME = 'File "';
const TRACEBACK = 'Traceback (most recent call last):';
const CARET = /^[\^~][\^~ ]*$/;
/** Position of the line of code above a caret: `node:events:497` or `file:///a/b.js:3`. */
const CODE_POSITION = /\S:\d+$/;
/** Lines that say nothing about the reason. */
const NOISE =
  /^(?:Node\.js v\d|Require stack:$|- (?:\/|[A-Z]:\\)|Emitted 'error' event on |During handling of the above exception, another exception occurred:$|The above exception was the direct cause of the following exception:$|goroutine \d|note: run with `RUST_BACKTRACE|npm (?:error|ERR!) (?:A complete log of this run|$)|\+-[+-]|[{}\]]+$)/;

interface Line {
  readonly text: string;
  /** Whether the line names an error. It is certain if a stack trace belongs to it. */
  certainty: 'none' | 'possible' | 'certain';
}

/** Selects the lines of a program's output that name the reason of its end, without stack traces and code. */
export class FailureLines {
  readonly #lines: Line[] = [];
  #isInTraceback = false;
  /** Whether the line is within the properties of an error, which follow its stack in braces. */
  #isInProperties = false;

  /** Whether a line names an error. */
  get hasError(): boolean {
    return this.#lines.some(({ certainty }) => certainty !== 'none');
  }

  /**
   * Adds a line.
   * @param text Line without control characters, secrets and spaces at its ends. Not empty.
   * @param isIndented Whether the line began with a space.
   */
  push(text: string, isIndented: boolean): void {
    if (text.endsWith(TRACEBACK)) this.#isInTraceback = true;
    else if (NODE_FRAME.test(text) && isIndented) this.#handleFrame(text);
    else if (CARET.test(text)) this.#dropCode();
    else if (text.startsWith(PYTHON_FRAME) && isIndented) this.#isInTraceback = true;
    else if (this.#isInTraceback && isIndented) return;
    else if (this.#isInTraceback) this.#keep(text, 'certain');
    else if (NOISE.test(text)) this.#isInProperties = false;
    else if (!(this.#isInProperties && isIndented)) this.#keep(text, certaintyOf(text));
    else if (text.startsWith('[cause]: ')) this.#keep(text, 'none');
  }

  /** Returns the lines that name the reason: the last error with its message and the last line, or the last lines. */
  select(): readonly string[] {
    const certain = this.#lines.findLastIndex(({ certainty }) => certainty === 'certain');
    const start = certain >= 0 ? certain : this.#lines.findIndex(({ certainty }) => certainty === 'possible');
    const selected =
      start < 0
        ? this.#lines.slice(-LAST_LINES)
        : [...this.#lines.slice(start, start + 1 + MESSAGE_LINES), ...this.#lines.slice(start).slice(-1)];
    return [...new Set(selected.map(({ text }) => text))];
  }

  /** Returns a copy with a further line. */
  with(text: string, isIndented: boolean): FailureLines {
    const copy = new FailureLines();
    copy.#lines.push(...this.#lines.map((line) => ({ ...line })));
    copy.#isInTraceback = this.#isInTraceback;
    copy.#isInProperties = this.#isInProperties;
    if (text !== '') copy.push(text, isIndented);
    return copy;
  }

  #keep(text: string, certainty: Line['certainty']): void {
    this.#isInTraceback = false;
    this.#isInProperties = certainty !== 'none' && text.endsWith('{');
    this.#lines.push({ text: this.#isInProperties ? text.slice(0, -1).trimEnd() : text, certainty });
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
  }

  /** Marks the error that the stack belongs to. Its message may have several lines. */
  #handleFrame(text: string): void {
    const owner = this.#lines.findLast(({ certainty }) => certainty !== 'none') ?? this.#lines.at(-1);
    if (owner !== undefined && !this.#isInProperties) owner.certainty = 'certain';
    this.#isInProperties = this.#isInProperties || text.endsWith('{');
  }

  /** Removes the line of code that a caret points into, and its position. */
  #dropCode(): void {
    if (this.#isInTraceback) return;
    const position = this.#lines.at(-2)?.text ?? '';
    if (CODE_POSITION.test(position)) this.#lines.splice(-2);
  }
}

function certaintyOf(text: string): Line['certainty'] {
  return ERROR_NAME.test(text) || ERROR_WORD.test(text) ? 'possible' : 'none';
}
