import { ResponseScanner } from './response-scanner.js';

const NEWLINE = 0x0a;

/** Options of a `ResponseFilter`. */
export interface ResponseFilterOptions {
  /** Prefix of the ids of injected calls. No other id begins with it. */
  readonly prefix: string;
  /** Most bytes of an undecided line that are held back. A longer line passes. */
  readonly maxHeldBytes: number;
  /** Returns whether an injected call may still be answered. Otherwise nothing is held back. */
  readonly expectsResponse: () => boolean;
  readonly pass: (bytes: Buffer) => void;
}

/** Removes the responses to injected calls from the server's output. Passes everything else on, byte for byte. */
export class ResponseFilter {
  readonly #options: ResponseFilterOptions;
  readonly #prefix: Buffer;
  #lineState: 'NEW' | 'UNDECIDED' | 'PASSES' | 'RESPONSE' = 'NEW';
  #scanner: ResponseScanner;
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(options: ResponseFilterOptions) {
    this.#options = options;
    this.#prefix = Buffer.from(options.prefix);
    this.#scanner = new ResponseScanner(options.prefix);
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (this.#lineState !== 'UNDECIDED' && this.#lineState !== 'RESPONSE' && this.#hasNoResponse(chunk)) {
      this.#lineState = chunk.at(-1) === NEWLINE ? 'NEW' : 'PASSES';
      this.#options.pass(chunk);
      return;
    }
    // Start of the bytes that pass and were not passed on yet.
    let passFrom = 0;
    for (let start = 0; start < chunk.length;) {
      const newline = chunk.indexOf(NEWLINE, start);
      const end = newline < 0 ? chunk.length : newline + 1;
      const part = chunk.subarray(start, end);
      this.#classify(part, newline >= 0);
      if (this.#lineState !== 'PASSES') {
        if (start > passFrom) this.#options.pass(chunk.subarray(passFrom, start));
        passFrom = end;
      }
      if (this.#lineState === 'UNDECIDED') this.#hold(part);
      if (newline >= 0) this.#lineState = 'NEW';
      start = end;
    }
    if (passFrom < chunk.length) this.#options.pass(chunk.subarray(passFrom));
  }

  /** Passes held bytes on if no injected call may be answered any more. */
  release(): void {
    if (this.#lineState === 'UNDECIDED' && !this.#options.expectsResponse()) this.#releaseHeld();
  }

  /** Passes held bytes on at the end of the stream. */
  end(): void {
    if (this.#lineState === 'UNDECIDED') this.#releaseHeld();
  }

  #hasNoResponse(chunk: Buffer): boolean {
    if (chunk.includes(this.#prefix)) return false;
    // An incomplete line may turn out to be a response.
    return chunk.at(-1) === NEWLINE || !this.#options.expectsResponse();
  }

  /** Scans a part of the current line and decides whether the line passes, as far as known. */
  #classify(part: Buffer, isComplete: boolean): void {
    if (this.#lineState === 'NEW') {
      this.#scanner = new ResponseScanner(this.#options.prefix);
      this.#lineState = 'UNDECIDED';
    }
    if (this.#lineState !== 'UNDECIDED') return;
    const isResponse = this.#scanner.feed(part);
    if (isResponse === true) {
      this.#lineState = 'RESPONSE';
      this.#discardHeld();
    } else if (isResponse === false || isComplete || !this.#canHold(part)) {
      this.#releaseHeld();
    }
  }

  #canHold(part: Buffer): boolean {
    return this.#options.expectsResponse() && this.#heldBytes + part.length <= this.#options.maxHeldBytes;
  }

  #hold(part: Buffer): void {
    this.#held.push(part);
    this.#heldBytes += part.length;
  }

  #releaseHeld(): void {
    const held = this.#held;
    this.#discardHeld();
    this.#lineState = 'PASSES';
    for (const part of held) this.#options.pass(part);
  }

  #discardHeld(): void {
    this.#held = [];
    this.#heldBytes = 0;
  }
}
