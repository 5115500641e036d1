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
    let at = start;
    if (this.state === 'BLANK') {
      at = skipSpace(bytes, at);
      if (at === bytes.length) return;
      this.state = bytes[at] === OPENING ? 'OPEN' : 'OTHER';
    }
    if (this.state === 'OPEN') at = this.#scanObject(bytes, at);
    if (this.state === 'COMPLETE' && skipSpace(bytes, at) < bytes.length) this.state = 'OTHER';
  }

  /** Scans up to the end of the object. Uses local variables, because a frame of many bytes is read in one turn of the event loop. */
  #scanObject(bytes: Buffer, start: number): number {
    let at = this.#isEscaped ? start + 1 : start;
    let depth = this.#depth;
    let isInText = this.#isInText;
    while (at < bytes.length) {
      const byte = bytes[at];
      at += 1;
      if (isInText) {
        if (byte === QUOTE) isInText = false;
        else if (byte === BACKSLASH) at += 1;
      } else if (byte === QUOTE) isInText = true;
      else if (byte === OPENING) depth += 1;
      else if (byte === CLOSING) {
        depth -= 1;
        if (depth > 0) continue;
        this.state = 'COMPLETE';
        break;
      }
    }
    this.#depth = depth;
    this.#isInText = isInText;
    this.#isEscaped = at > bytes.length;
    return at;
  }
}

function skipSpace(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && (bytes[at] ?? 0) <= SPACE) at += 1;
  return at;
}
