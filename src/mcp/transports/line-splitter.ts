const NEWLINE = 0x0a;

/** Cuts a stream of bytes into lines. Bytes are kept until a line is whole, so that no character is torn. */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #onLine: (line: string) => void;
  readonly #onOverflow: () => void;
  #parts: Buffer[] = [];
  #size = 0;

  /** @param onOverflow a line is longer than `maxBytes`: what has come of it is dropped */
  constructor(maxBytes: number, onLine: (line: string) => void, onOverflow: () => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
    this.#onOverflow = onOverflow;
  }

  /** Whether part of a line has come, and not its end. */
  get isWithinLine(): boolean {
    return this.#size > 0;
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      if (this.#keep(rest.subarray(0, end))) this.endLine();
      rest = rest.subarray(end + 1);
    }
    if (rest.length > 0) this.#keep(rest);
  }

  /** Takes what has come of a line for the whole of it. */
  endLine(): void {
    const line = Buffer.concat(this.#parts).toString('utf8');
    this.#drop();
    this.#onLine(line);
  }

  #keep(part: Buffer): boolean {
    this.#parts.push(part);
    this.#size += part.length;
    if (this.#size <= this.#maxBytes) return true;
    this.#drop();
    this.#onOverflow();
    return false;
  }

  #drop(): void {
    this.#parts = [];
    this.#size = 0;
  }
}
