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
    // Local variables, because a frame may have many bytes, which are read in one turn of the event loop.
    let [state, depth, isInText, isEscaped] = [this.state, this.#depth, this.#isInText, this.#isEscaped];
    for (let index = start; index < bytes.length && state !== 'OTHER'; index += 1) {
      const byte = bytes[index] ?? 0;
      if (isInText) {
        if (isEscaped) isEscaped = false;
        else if (byte === BACKSLASH) isEscaped = true;
        else if (byte === QUOTE) isInText = false;
      } else if (state !== 'OPEN') {
        if (byte <= SPACE) continue;
        state = state === 'BLANK' && byte === OPENING ? 'OPEN' : 'OTHER';
        depth = 1;
      } else if (byte === QUOTE) isInText = true;
      else if (byte === OPENING) depth += 1;
      else if (byte === CLOSING) {
        depth -= 1;
        if (depth === 0) state = 'COMPLETE';
      }
    }
    [this.state, this.#depth, this.#isInText, this.#isEscaped] = [state, depth, isInText, isEscaped];
  }
}
