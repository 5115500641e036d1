import { LineSplitter } from '../../../shared/index.js';

const NEWLINE = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = 0x7b;
const CLOSING = 0x7d;

/**
 * Splits WebSocket frames into JSON-RPC lines. A frame may be one message without a newline, several lines, or any part
 * of a stream of lines, because some relays forward the chunks of a child process. A line ends at a newline, and at the
 * end of a frame that completes the JSON object the line began with.
 */
export class FrameSplitter {
  readonly #lines: LineSplitter;
  #object = new JsonObjectScanner();

  /** @param onOverflow called once for each line that is longer than `maxBytes` */
  constructor(maxBytes: number, onLine: (line: Buffer) => void, onOverflow: () => void) {
    this.#lines = new LineSplitter(maxBytes, onLine, onOverflow);
  }

  push(frame: Buffer): void {
    // The unfinished line is not a message and must not swallow the message that this frame begins.
    if (this.#object.state === 'OTHER' && frame[0] === OPENING) this.#endLine();
    this.#lines.push(frame);
    const lineStart = frame.lastIndexOf(NEWLINE) + 1;
    if (lineStart > 0) this.#object = new JsonObjectScanner();
    this.#object.push(frame, lineStart);
    if (this.#object.state === 'COMPLETE') this.#endLine();
  }

  #endLine(): void {
    this.#object = new JsonObjectScanner();
    this.#lines.endLine();
  }
}

/** Scans the bytes of a line for the end of a JSON object, each byte once. */
class JsonObjectScanner {
  /** `OTHER` means that the line does not begin with an object, or continues after its end. */
  state: 'BLANK' | 'OPEN' | 'COMPLETE' | 'OTHER' = 'BLANK';
  #depth = 0;
  #isInText = false;
  #isEscaped = false;

  push(bytes: Buffer, start: number): void {
    for (let index = start; index < bytes.length && this.state !== 'OTHER'; index += 1)
      this.#acceptByte(bytes[index] ?? 0);
  }

  #acceptByte(byte: number): void {
    if (this.#isInText) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === BACKSLASH) this.#isEscaped = true;
      else if (byte === QUOTE) this.#isInText = false;
    } else if (this.state !== 'OPEN') {
      if (byte <= SPACE) return;
      this.state = this.state === 'BLANK' && byte === OPENING ? 'OPEN' : 'OTHER';
      this.#depth = 1;
    } else if (byte === QUOTE) this.#isInText = true;
    else if (byte === OPENING) this.#depth += 1;
    else if (byte === CLOSING) {
      this.#depth -= 1;
      if (this.#depth === 0) this.state = 'COMPLETE';
    }
  }
}
