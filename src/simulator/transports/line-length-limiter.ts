import { Transform, type TransformCallback } from 'node:stream';

const NEWLINE = 0x0a;

/**
 * Passes lines on, but leaves out one that is longer than `maxBytes`: the transport behind it would end the connection.
 * Holds back what is not a whole line yet.
 */
export class LineLengthLimiter extends Transform {
  readonly #maxBytes: number;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #isSkipping = false;

  constructor(maxBytes: number) {
    super();
    this.#maxBytes = maxBytes;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let rest = chunk;
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      this.#hold(rest.subarray(0, end + 1));
      if (!this.#isSkipping) this.push(Buffer.concat(this.#held));
      this.#drop();
      this.#isSkipping = false;
      rest = rest.subarray(end + 1);
    }
    this.#hold(rest);
    done();
  }

  #hold(part: Buffer): void {
    if (this.#isSkipping || part.length === 0) return;
    this.#held.push(part);
    this.#heldBytes += part.length;
    if (this.#heldBytes <= this.#maxBytes) return;
    this.#isSkipping = true;
    this.#drop();
  }

  #drop(): void {
    this.#held = [];
    this.#heldBytes = 0;
  }
}
