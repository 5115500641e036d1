const NEWLINE = 0x0a;

/**
 * Splits a byte stream into lines, without their newlines. Skips lines longer than `maxBytes`. Works on bytes, so that no
 * character is torn.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #onLine: (line: Buffer) => void;
  readonly #onOverflow: () => void;
  #parts: Buffer[] = [];
  #size = 0;
  #isSkipping = false;

  /** @param onOverflow called once for each line that is longer than `maxBytes` */
  constructor(maxBytes: number, onLine: (line: Buffer) => void, onOverflow: () => void = () => undefined) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
    this.#onOverflow = onOverflow;
  }

  /** Whether the last line has begun and not ended yet. */
  get isWithinLine(): boolean {
    return this.#size > 0 || this.#isSkipping;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end));
      start = end + 1;
      this.endLine();
    }
    this.#keep(chunk.subarray(start));
  }

  /** Ends the current line without a newline. */
  endLine(): void {
    const [first, ...rest] = this.#parts;
    const line = first !== undefined && rest.length === 0 ? first : Buffer.concat(this.#parts);
    const isComplete = !this.#isSkipping;
    this.#discard();
    this.#isSkipping = false;
    if (isComplete) this.#onLine(line);
  }

  #keep(part: Buffer): void {
    if (this.#isSkipping || part.length === 0) return;
    this.#parts.push(part);
    this.#size += part.length;
    if (this.#size <= this.#maxBytes) return;
    this.#isSkipping = true;
    this.#discard();
    this.#onOverflow();
  }

  #discard(): void {
    this.#parts = [];
    this.#size = 0;
  }
}
