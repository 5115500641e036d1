const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);
const BLANK = new Set([0x20, 0x09, 0x0d]);
const BRACE = 0x7b;
/** Of a name or an id that could matter here. */
const MAX_TEXT_BYTES = 256;

/**
 * Looks at the bytes of one line as they come, for whether it is the answer to a call whose id begins with `prefix`. What
 * stands deeper in it does not count, nor does a request or notification. It says so as early as it can be known.
 */
export class ResponseScanner {
  readonly #prefix: string;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** Of the string under way, when it may be a name or an id; `null`: it does not matter. */
  #text: number[] | null = null;
  #string: string | null = null;
  /** Of the member whose value is under way. */
  #name: string | null = null;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** @returns whether it is; `null`: it cannot be known yet */
  feed(bytes: Buffer): boolean | null {
    for (const byte of bytes) {
      const verdict = this.#isInString ? this.#within(byte) : this.#between(byte);
      if (verdict !== null) return verdict;
    }
    return null;
  }

  #within(byte: number): boolean | null {
    if (byte === QUOTE && !this.#isEscaped) {
      this.#isInString = false;
      this.#string = this.#text === null ? null : Buffer.from(this.#text).toString('utf8');
      return this.#name === 'id' && this.#depth === 1 ? this.#isOurs() : null;
    }
    this.#isEscaped = byte === BACKSLASH && !this.#isEscaped;
    if (this.#text !== null && this.#text.push(byte) > MAX_TEXT_BYTES) this.#text = null;
    return null;
  }

  #between(byte: number): boolean | null {
    if (BLANK.has(byte)) return null;
    if (this.#depth === 0 && byte !== BRACE) return false;
    if (byte === QUOTE) {
      this.#isInString = true;
      this.#text = this.#depth === 1 ? [] : null;
      return null;
    }
    if (this.#depth === 1) {
      // An id that is no text is not one of ours.
      if (this.#name === 'id') return false;
      if (byte === COLON) this.#name = this.#string;
      if (byte === COMMA) this.#name = null;
      if (this.#name === 'method') return false;
    }
    if (OPENING.has(byte)) this.#depth += 1;
    if (CLOSING.has(byte)) this.#depth -= 1;
    return this.#depth === 0 ? false : null;
  }

  #isOurs(): boolean {
    return this.#string?.startsWith(this.#prefix) ?? false;
  }
}
