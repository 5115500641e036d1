const NEWLINE = 0x0a;

/** Cuts a copy of a stream into lines, to look at them. One that is longer than `maxBytes` is left out. */
export class LineReader {
  readonly #maxBytes: number;
  readonly #onLine: (line: Buffer) => void;
  #parts: Buffer[] = [];
  #size = 0;
  #isSkipping = false;

  constructor(maxBytes: number, onLine: (line: Buffer) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end));
      start = end + 1;
      const [only, ...others] = this.#parts;
      const line = others.length === 0 ? only : Buffer.concat(this.#parts);
      const isWhole = !this.#isSkipping;
      this.#drop();
      this.#isSkipping = false;
      if (isWhole && line !== undefined) this.#onLine(line);
    }
    this.#keep(chunk.subarray(start));
  }

  #keep(part: Buffer): void {
    if (this.#isSkipping || part.length === 0) return;
    this.#parts.push(part);
    this.#size += part.length;
    if (this.#size <= this.#maxBytes) return;
    this.#isSkipping = true;
    this.#drop();
  }

  #drop(): void {
    this.#parts = [];
    this.#size = 0;
  }
}
