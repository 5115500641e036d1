/** Longest part of a long JSON text in bytes that is parsed in one step. The slowest parts of this length take about 10 ms. */
const MAX_SLICE_BYTES = 65_536;

/** Longest JSON text in bytes that is parsed as a whole, which is faster. The slowest texts of this length take about 20 ms. */
export const MAX_DIRECT_BYTES = 131_072;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPENING_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
const BLANK = /^[ \t\r\n]*$/;

/** Decision about a member of a long object: to read its value, or to skip it and use another one, or to omit the member. */
export type JsonMember<C> =
  | { readonly kind: 'READ'; readonly name: string; readonly context: C }
  | { readonly kind: 'SKIP'; readonly name: string; readonly value: unknown }
  | { readonly kind: 'OMIT' };

/** Parts of a JSON text as a `JsonSlicer` finds them. */
export interface JsonSliceHandler<C> {
  /** Maximum number of entries of a list or object. Further entries are skipped. */
  readonly maxEntries: number;
  /** Maximum nesting depth. Longer lists and objects below become null. */
  readonly maxDepth: number;
  /** Maximum length of a text in UTF-16 units that is decoded. */
  readonly maxTextLength: number;
  /**
   * Parses a short value, or a part of the entries of a long list or object as a list or object of their own.
   * @throws SyntaxError if the text is not JSON
   */
  parse(json: string, depth: number, context: C): unknown;
  /** Converts a long text. */
  text(text: string, context: C): unknown;
  /** Decides about a member of a long object that has a long value. */
  member(name: string, context: C): JsonMember<C>;
  /** Called when entries are skipped, or when a value is nested too deep. */
  onCut(): void;
}

/**
 * Parses a long JSON text in short steps. Splits it into complete values and groups of entries that `JSON.parse` reads at once.
 * Skips values beyond a limit without parsing them.
 */
export class JsonSlicer<C> {
  readonly #bytes: Buffer;
  readonly #handler: JsonSliceHandler<C>;
  readonly #sliceBytes: number;
  #at = 0;

  /** @param sliceBytes longest part in bytes that is parsed or skipped in one step */
  constructor(bytes: Buffer, handler: JsonSliceHandler<C>, sliceBytes = MAX_SLICE_BYTES) {
    this.#bytes = bytes;
    this.#handler = handler;
    this.#sliceBytes = sliceBytes;
  }

  /**
   * Parses the text. Yields after each step.
   * @throws SyntaxError if the text is not JSON
   */
  *parse(context: C): Generator<void, unknown> {
    const value = yield* this.#bytes.length > this.#sliceBytes ? this.#longValue(0, context) : this.#value(0, context);
    yield* this.#skipSpace();
    if (this.#at < this.#bytes.length) throw this.#unexpected();
    return value;
  }

  *#value(depth: number, context: C): Generator<void, unknown> {
    yield* this.#skipSpace();
    const start = this.#at;
    const end = this.#findValueEnd(start + this.#sliceBytes);
    if (end === null) return yield* this.#longValue(depth, context);
    this.#at = end;
    yield;
    return this.#handler.parse(this.#bytes.toString('utf8', start, end), depth, context);
  }

  /** Parses a value that is probably longer than a slice. Takes more steps than necessary if it is not. */
  *#longValue(depth: number, context: C): Generator<void, unknown> {
    yield* this.#skipSpace();
    switch (this.#bytes[this.#at]) {
      case QUOTE:
        return this.#handler.text(yield* this.#longText(), context);
      case OPENING_BRACKET:
      case OPENING_BRACE:
        if (depth < this.#handler.maxDepth) return yield* this.#longContainer(depth, context);
        this.#handler.onCut();
        yield* this.#skipValue();
        return null;
      default:
        return yield* this.#word(depth, context);
    }
  }

  /** Parses a number, or a word such as `true`. */
  *#word(depth: number, context: C): Generator<void, unknown> {
    const start = this.#at;
    const end = this.#findValueEnd(start + this.#sliceBytes);
    if (end === null) throw new SyntaxError('A number or word is too long.');
    this.#at = end;
    yield;
    return this.#handler.parse(this.#bytes.toString('utf8', start, end), depth, context);
  }

  *#longContainer(depth: number, context: C): Generator<void, unknown> {
    const isList = this.#bytes[this.#at] === OPENING_BRACKET;
    const [open, close, closing] = isList ? ['[', ']', CLOSING_BRACKET] : ['{', '}', CLOSING_BRACE];
    const entries = isList ? new Entries([], this.#handler) : new Entries({}, this.#handler);
    this.#at += 1;
    for (let isFirst = true; ; isFirst = false) {
      const start = this.#at;
      const end = this.#findGroupEnd(start);
      if (end === null) {
        yield;
        yield* this.#longEntry(depth, context, entries);
        yield* this.#skipSpace();
      } else {
        const group = this.#bytes.toString('utf8', start, end);
        this.#at = end;
        const isEmpty = BLANK.test(group);
        // A comma is not the end of a list or object.
        if (isEmpty && !(isFirst && this.#bytes[end] === closing)) throw this.#unexpected();
        if (!isEmpty) entries.addAll(this.#handler.parse(open + group + close, depth, context));
        yield;
      }
      const separator = this.#bytes[this.#at];
      this.#at += 1;
      if (separator === closing) return entries.value;
      if (separator !== COMMA) throw this.#unexpected();
      if (entries.isFull) {
        entries.cut();
        yield* this.#skipToEnd();
        return entries.value;
      }
    }
  }

  /** Reads one entry with a long value. */
  *#longEntry(depth: number, context: C, entries: Entries): Generator<void, void> {
    if (Array.isArray(entries.value)) {
      entries.add(null, yield* this.#longValue(depth + 1, context));
      return;
    }
    yield* this.#skipSpace();
    if (this.#bytes[this.#at] !== QUOTE) throw this.#unexpected();
    const name = yield* this.#longText();
    yield* this.#skipSpace();
    if (this.#bytes[this.#at] !== COLON) throw this.#unexpected();
    this.#at += 1;
    const member = this.#handler.member(name, context);
    if (member.kind === 'READ') entries.add(member.name, yield* this.#longValue(depth + 1, member.context));
    else {
      yield* this.#skipSpace();
      yield* this.#skipValue();
      if (member.kind === 'SKIP') entries.add(member.name, member.value);
    }
  }

  /** Decodes a text of any length up to `maxTextLength`, and skips the rest of it. */
  *#longText(): Generator<void, string> {
    const { maxTextLength } = this.#handler;
    const parts: string[] = [];
    let length = 0;
    this.#at += 1;
    for (let isOpen = true; isOpen;) {
      const start = this.#at;
      isOpen = this.#moveInText(start + this.#sliceBytes);
      if (length < maxTextLength) {
        // `JSON.parse` of a text returns a text.
        const part = JSON.parse(`"${this.#bytes.toString('utf8', start, this.#at)}"`) as string;
        parts.push(part);
        length += part.length;
      }
      yield;
    }
    this.#at += 1;
    return parts.join('');
  }

  /** Moves to the closing quote, or to the first character at or after `limit`. Returns whether the text continues. */
  #moveInText(limit: number): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    for (; at < bytes.length; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === QUOTE) {
        this.#at = at;
        return false;
      }
      // Bytes from 0x80 to 0xBF continue a character.
      if (at >= limit && (byte & 0xc0) !== 0x80) {
        this.#at = at;
        return true;
      }
      if (byte === BACKSLASH) at += bytes[at + 1] === 0x75 ? 5 : 1;
    }
    throw new SyntaxError('The JSON text ends within a text.');
  }

  /** Skips the value at the current position. */
  *#skipValue(): Generator<void, void> {
    const byte = this.#bytes[this.#at];
    if (byte === QUOTE) {
      this.#at += 1;
      while (this.#moveInText(this.#at + this.#sliceBytes)) yield;
      this.#at += 1;
      return;
    }
    if (byte !== OPENING_BRACKET && byte !== OPENING_BRACE) {
      const end = this.#findValueEnd(this.#at + this.#sliceBytes);
      if (end === null) throw new SyntaxError('A number or word is too long.');
      this.#at = end;
      return;
    }
    this.#at += 1;
    yield* this.#skipToEnd();
  }

  /** Skips the rest of the current list or object. */
  *#skipToEnd(): Generator<void, void> {
    const scan = new StructureScan(1);
    while (scan.depth > 0) {
      this.#at = scan.run(this.#bytes, this.#at, this.#at + this.#sliceBytes);
      if (scan.depth > 0 && this.#at >= this.#bytes.length) throw new SyntaxError('The JSON text is incomplete.');
      yield;
    }
  }

  /** Returns the end of the value at the current position. Null if it is not before `limit`. */
  #findValueEnd(limit: number): number | null {
    const bytes = this.#bytes;
    const byte = bytes[this.#at];
    if (byte === OPENING_BRACKET || byte === OPENING_BRACE) {
      const scan = new StructureScan(0);
      const end = scan.run(bytes, this.#at, limit);
      return scan.depth === 0 ? end : this.#incomplete(limit);
    }
    if (byte === QUOTE) {
      const scan = new StructureScan(0);
      const end = scan.run(bytes, this.#at, limit);
      return scan.isInText ? this.#incomplete(limit) : end;
    }
    let end = this.#at;
    while (end < bytes.length && end < limit && !isDelimiter(bytes[end] ?? 0)) end += 1;
    if (end === this.#at) throw this.#unexpected();
    return end === limit ? null : end;
  }

  /** Returns the end of the last complete entry of a group. Null if the first entry is too long. */
  #findGroupEnd(start: number): number | null {
    const limit = start + this.#sliceBytes;
    const scan = new StructureScan(1);
    const end = scan.run(this.#bytes, start, limit);
    if (scan.depth === 0) return end - 1;
    this.#incomplete(limit);
    return scan.lastComma;
  }

  /** @throws SyntaxError if the text ends before `limit` */
  #incomplete(limit: number): null {
    if (limit >= this.#bytes.length) throw new SyntaxError('The JSON text is incomplete.');
    return null;
  }

  *#skipSpace(): Generator<void, void> {
    for (let count = 1; isSpace(this.#bytes[this.#at] ?? 0); count += 1) {
      this.#at += 1;
      if (count % this.#sliceBytes === 0) yield;
    }
  }

  #unexpected(): SyntaxError {
    return new SyntaxError(`Unexpected character at byte ${this.#at} of the JSON text.`);
  }
}

/** Scans the brackets and texts of JSON. Does not check it. */
class StructureScan {
  depth: number;
  isInText = false;
  /** Position of the last comma at the initial depth. Null before the first. */
  lastComma: number | null = null;

  constructor(depth: number) {
    this.depth = depth;
  }

  /** Scans up to `limit`, or to the end of the value whose depth becomes 0. Returns the position. */
  run(bytes: Buffer, start: number, limit: number): number {
    const end = Math.min(limit, bytes.length);
    const { depth: initialDepth } = this;
    let { depth, isInText } = this;
    let at = start;
    while (at < end) {
      const byte = bytes[at] ?? 0;
      at += 1;
      if (isInText) {
        if (byte === QUOTE) {
          isInText = false;
          if (depth === 0) break;
        } else if (byte === BACKSLASH) at += 1;
      } else if (IS_STRUCTURAL[byte] !== 0) {
        if (byte === QUOTE) isInText = true;
        else if (byte === COMMA) {
          if (depth === initialDepth) this.lastComma = at - 1;
        } else if (byte === OPENING_BRACE || byte === OPENING_BRACKET) depth += 1;
        else {
          depth -= 1;
          if (depth === 0) break;
        }
      }
    }
    this.depth = depth;
    this.isInText = isInText;
    return at;
  }
}

/** Whether a byte ends an entry, or begins or ends a text, list or object. */
const IS_STRUCTURAL = new Uint8Array(256);
for (const byte of [QUOTE, COMMA, OPENING_BRACKET, CLOSING_BRACKET, OPENING_BRACE, CLOSING_BRACE])
  IS_STRUCTURAL[byte] = 1;

type EntryLimits = Pick<JsonSliceHandler<unknown>, 'maxEntries' | 'onCut'>;

/** Entries of a long list or object. */
class Entries {
  readonly value: unknown[] | Record<string, unknown>;
  readonly #limits: EntryLimits;
  #count = 0;
  #isCut = false;

  constructor(value: unknown[] | Record<string, unknown>, limits: EntryLimits) {
    this.value = value;
    this.#limits = limits;
  }

  get isFull(): boolean {
    return this.#count >= this.#limits.maxEntries;
  }

  /** Records that there are further entries. */
  cut(): void {
    if (!this.#isCut) this.#limits.onCut();
    this.#isCut = true;
  }

  add(name: string | null, value: unknown): void {
    if (this.isFull) {
      this.cut();
      return;
    }
    this.#count += 1;
    if (Array.isArray(this.value)) this.value.push(value);
    // An assignment would replace the prototype.
    else if (name === '__proto__') {
      Object.defineProperty(this.value, name, { value, writable: true, enumerable: true, configurable: true });
    } else if (name !== null) this.value[name] = value;
  }

  /** Adds the entries of a list or object. */
  addAll(group: unknown): void {
    if (Array.isArray(group)) for (const entry of group) this.add(null, entry);
    else if (typeof group === 'object' && group !== null) {
      for (const [name, value] of Object.entries(group)) this.add(name, value);
    }
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isDelimiter(byte: number): boolean {
  return isSpace(byte) || byte === COMMA || byte === COLON || byte === CLOSING_BRACKET || byte === CLOSING_BRACE;
}
