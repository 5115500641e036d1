import { LineSplitter } from '../line-splitter.js';

const NEWLINE = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = 0x7b;
const CLOSING = 0x7d;

/**
 * Cuts the frames of a WebSocket into lines. A frame may be a message without a newline, several lines, or any piece of
 * a stream of lines, because some relays pass on what a child process happens to have written. So lines end at newlines,
 * and at the end of a frame with which a JSON object that the line began with is whole.
 */
export class FrameSplitter {
  readonly #lines: LineSplitter;
  #object = new JsonObjectScanner();

  /** @param onOverflow a line is longer than `maxBytes`: what has come of it is dropped */
  constructor(maxBytes: number, onLine: (line: string) => void, onOverflow: () => void) {
    this.#lines = new LineSplitter(maxBytes, onLine, onOverflow);
  }

  push(frame: Buffer): void {
    // What does not begin as a message will be none: it must not swallow the one that this frame begins.
    if (this.#object.state === 'OTHER' && frame[0] === OPENING) this.#endLine();
    this.#lines.push(frame);
    const rest = frame.lastIndexOf(NEWLINE) + 1;
    if (rest > 0) this.#object = new JsonObjectScanner();
    this.#object.push(frame, rest);
    if (this.#object.state === 'WHOLE') this.#endLine();
  }

  #endLine(): void {
    this.#object = new JsonObjectScanner();
    this.#lines.endLine();
  }
}

/** Follows the bytes of a line, each once, to see whether they are an object in JSON. */
class JsonObjectScanner {
  /** OTHER: they begin as none, or go on after its end. */
  state: 'BLANK' | 'BEGUN' | 'WHOLE' | 'OTHER' = 'BLANK';
  #depth = 0;
  #isInText = false;
  #isEscaped = false;

  push(bytes: Buffer, from: number): void {
    for (let index = from; index < bytes.length && this.state !== 'OTHER'; index += 1) this.#take(bytes[index] ?? 0);
  }

  #take(byte: number): void {
    if (this.#isInText) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === BACKSLASH) this.#isEscaped = true;
      else if (byte === QUOTE) this.#isInText = false;
    } else if (this.state !== 'BEGUN') {
      if (byte <= SPACE) return;
      this.state = this.state === 'BLANK' && byte === OPENING ? 'BEGUN' : 'OTHER';
      this.#depth = 1;
    } else if (byte === QUOTE) this.#isInText = true;
    else if (byte === OPENING) this.#depth += 1;
    else if (byte === CLOSING) {
      this.#depth -= 1;
      if (this.#depth === 0) this.state = 'WHOLE';
    }
  }
}
