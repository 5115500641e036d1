import { ResponseScanner } from './response-scanner.js';

const NEWLINE = 0x0a;

export interface ResponseFilterOptions {
  /** That the ids of our own calls begin with, and nobody else's. */
  readonly prefix: string;
  /** Of a line that may still turn out to be ours; a longer one passes. */
  readonly maxHeldBytes: number;
  /** Whether a call of ours may still be answered. While none may, nothing is held back. */
  readonly expectsResponse: () => boolean;
  readonly pass: (bytes: Buffer) => void;
}

/** Takes the answers to our own calls out of what a server writes, line by line, and passes everything else on, byte for byte. */
export class ResponseFilter {
  readonly #options: ResponseFilterOptions;
  readonly #prefix: Buffer;
  #line: 'NEW' | 'UNDECIDED' | 'PASSES' | 'OURS' = 'NEW';
  #scan: ResponseScanner;
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(options: ResponseFilterOptions) {
    this.#options = options;
    this.#prefix = Buffer.from(options.prefix);
    this.#scan = new ResponseScanner(options.prefix);
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (this.#line !== 'UNDECIDED' && this.#line !== 'OURS' && this.#isNoneOfOurs(chunk)) {
      this.#line = chunk.at(-1) === NEWLINE ? 'NEW' : 'PASSES';
      this.#options.pass(chunk);
      return;
    }
    /** Where what passes of this chunk, and has not been passed yet, begins. */
    let from = 0;
    for (let start = 0; start < chunk.length;) {
      const newline = chunk.indexOf(NEWLINE, start);
      const end = newline < 0 ? chunk.length : newline + 1;
      const part = chunk.subarray(start, end);
      this.#look(part, newline >= 0);
      if (this.#line !== 'PASSES') {
        if (start > from) this.#options.pass(chunk.subarray(from, start));
        from = end;
      }
      if (this.#line === 'UNDECIDED') this.#hold(part);
      if (newline >= 0) this.#line = 'NEW';
      start = end;
    }
    if (from < chunk.length) this.#options.pass(chunk.subarray(from));
  }

  /** No call of ours may be answered any more: what is held is not ours. */
  release(): void {
    if (this.#line === 'UNDECIDED' && !this.#options.expectsResponse()) this.#passHeld();
  }

  /** Nothing more comes. */
  end(): void {
    if (this.#line === 'UNDECIDED') this.#passHeld();
  }

  #isNoneOfOurs(chunk: Buffer): boolean {
    if (chunk.includes(this.#prefix)) return false;
    // The beginning of a line may be that of an answer to come.
    return chunk.at(-1) === NEWLINE || !this.#options.expectsResponse();
  }

  /** Decides about the line that this is a part of, as far as it can be. */
  #look(part: Buffer, isWhole: boolean): void {
    if (this.#line === 'NEW') {
      this.#scan = new ResponseScanner(this.#options.prefix);
      this.#line = 'UNDECIDED';
    }
    if (this.#line !== 'UNDECIDED') return;
    const isOurs = this.#scan.feed(part);
    if (isOurs === true) {
      this.#line = 'OURS';
      this.#drop();
    } else if (isOurs === false || isWhole || !this.#mayHold(part)) {
      this.#passHeld();
    }
  }

  #mayHold(part: Buffer): boolean {
    return this.#options.expectsResponse() && this.#heldBytes + part.length <= this.#options.maxHeldBytes;
  }

  #hold(part: Buffer): void {
    this.#held.push(part);
    this.#heldBytes += part.length;
  }

  #passHeld(): void {
    const held = this.#held;
    this.#drop();
    this.#line = 'PASSES';
    for (const part of held) this.#options.pass(part);
  }

  #drop(): void {
    this.#held = [];
    this.#heldBytes = 0;
  }
}
