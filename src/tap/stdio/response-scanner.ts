const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);
const BLANK = new Set([0x20, 0x09, 0x0d]);
const BRACE = 0x7b;
/** Longest member name or id that is compared. */
const MAX_TEXT_BYTES = 256;

/**
 * Scans the bytes of one line for a response to a call whose id begins with `prefix`. Decides as early as possible.
 * Ignores nested members; requests and notifications are no responses.
 */
export class ResponseScanner {
  readonly #prefix: string;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** Bytes of the current string if it may be a member name or id. Null otherwise. */
  #stringBytes: number[] | null = null;
  #lastString: string | null = null;
  /** Name of the member whose value is being scanned. */
  #memberName: string | null = null;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Returns whether the line is such a response. Null while undecided. */
  feed(bytes: Buffer): boolean | null {
    for (const byte of bytes) {
      const verdict = this.#isInString ? this.#scanString(byte) : this.#scanStructure(byte);
      if (verdict !== null) return verdict;
    }
    return null;
  }

  #scanString(byte: number): boolean | null {
    if (byte === QUOTE && !this.#isEscaped) {
      this.#isInString = false;
      this.#lastString = this.#stringBytes === null ? null : Buffer.from(this.#stringBytes).toString('utf8');
      return this.#memberName === 'id' && this.#depth === 1 ? this.#hasPrefix() : null;
    }
    this.#isEscaped = byte === BACKSLASH && !this.#isEscaped;
    if (this.#stringBytes !== null && this.#stringBytes.push(byte) > MAX_TEXT_BYTES) this.#stringBytes = null;
    return null;
  }

  #scanStructure(byte: number): boolean | null {
    if (BLANK.has(byte)) return null;
    if (this.#depth === 0 && byte !== BRACE) return false;
    if (byte === QUOTE) {
      this.#isInString = true;
      this.#stringBytes = this.#depth === 1 ? [] : null;
      return null;
    }
    if (this.#depth === 1) {
      // Ids of injected calls are strings.
      if (this.#memberName === 'id') return false;
      if (byte === COLON) this.#memberName = this.#lastString;
      if (byte === COMMA) this.#memberName = null;
      if (this.#memberName === 'method') return false;
    }
    if (OPENING.has(byte)) this.#depth += 1;
    if (CLOSING.has(byte)) this.#depth -= 1;
    return this.#depth === 0 ? false : null;
  }

  #hasPrefix(): boolean {
    return this.#lastString?.startsWith(this.#prefix) ?? false;
  }
}
