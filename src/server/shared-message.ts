import { constants, deflateRawSync } from 'node:zlib';
import type { Duplex } from 'node:stream';
import type { ExecutionResult } from 'graphql';

export interface CompressionOptions {
  /** Bytes of the text of an update from which on it is compressed; `null`: never. */
  readonly threshold: number | null;
}

/**
 * The payload of one `next` message for all subscriptions that are told the same at the same moment. Its bytes are
 * made, and compressed, once; each socket's own part, the `{"id":…` before them, is written in front of them.
 */
export class SharedMessage {
  /** Of the message's payload, as JSON. */
  readonly text: string;
  readonly #compression: CompressionOptions;
  #plain: FramedBytes | null = null;
  #deflated: FramedBytes | null = null;
  #result: StringifiedResult | null = null;

  constructor(text: string, compression: CompressionOptions) {
    this.text = text;
    this.#compression = compression;
  }

  /** For whoever serialises results by itself: Yoga takes the text as it is. */
  get result(): ExecutionResult {
    this.#result ??= { stringify: () => this.text };
    return this.#result;
  }

  /** Writes it to a WebSocket's stream as one text message. */
  writeTo(stream: Duplex, prefix: MessagePrefix, mayDeflate: boolean): void {
    const { threshold } = this.#compression;
    if (mayDeflate && threshold !== null && this.text.length >= threshold && prefix.stored !== null) {
      this.#deflated ??= new FramedBytes(deflated(`${this.text}}`), RSV1);
      this.#deflated.writeTo(stream, prefix.stored);
    } else {
      this.#plain ??= new FramedBytes(Buffer.from(`${this.text}}`), 0);
      this.#plain.writeTo(stream, prefix.plain);
    }
  }
}

interface StringifiedResult extends ExecutionResult {
  readonly stringify: () => string;
}

/** What comes before the shared bytes in the messages of one subscription. */
export class MessagePrefix {
  readonly plain: Buffer;
  /** The same as the beginning of a DEFLATE stream; `null` when it is too long for one stored block. */
  readonly stored: Buffer | null;

  constructor(id: string) {
    this.plain = Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`);
    this.stored = storedBlock(this.plain);
  }
}

/** RFC 1951, 3.2.4: not compressed and not the last block, so that another stream can follow on the byte border. */
function storedBlock(bytes: Buffer): Buffer | null {
  const { length } = bytes;
  if (length > MAX_STORED_BYTES) return null;
  const block = Buffer.allocUnsafe(5 + length);
  block[0] = 0;
  block.writeUInt16LE(length, 1);
  block.writeUInt16LE(~length & 0xffff, 3);
  bytes.copy(block, 5);
  return block;
}

const MAX_STORED_BYTES = 0xffff;

/** RFC 7692, 7.2.1: flushed to a byte border, less the four bytes that every such flush ends with. */
function deflated(text: string): Buffer {
  return deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH, level: LEVEL }).subarray(0, -4);
}

const LEVEL = constants.Z_BEST_SPEED;

const FIN_TEXT = 0x81;
const RSV1 = 0x40;
const MAX_HEADER_BYTES = 10;

/**
 * Bytes that go out many times with something else in front of them each time. They are kept with room before them,
 * and what comes before them is written there, so that each frame is one piece of memory and one write.
 */
class FramedBytes {
  readonly #bytes: Buffer;
  readonly #rsv: number;
  #frame: Buffer | null = null;
  #room = 0;

  constructor(bytes: Buffer, rsv: number) {
    this.#bytes = bytes;
    this.#rsv = rsv;
  }

  writeTo(stream: Duplex, prefix: Buffer): void {
    const frame = this.#frameFor(prefix.length);
    const start = this.#room - prefix.length;
    prefix.copy(frame, start);
    const length = prefix.length + this.#bytes.length;
    const from = writeHeader(frame, start, FIN_TEXT | this.#rsv, length);
    stream.write(frame.subarray(from));
    // Nothing waits: the kernel has copied it, and the next one may write over it. Otherwise it belongs to the stream.
    if (stream.writableLength > 0) this.#frame = null;
  }

  #frameFor(prefixLength: number): Buffer {
    if (this.#frame === null || this.#room < MAX_HEADER_BYTES + prefixLength) {
      this.#room = MAX_HEADER_BYTES + prefixLength + SPARE_BYTES;
      this.#frame = Buffer.allocUnsafeSlow(this.#room + this.#bytes.length);
      this.#bytes.copy(this.#frame, this.#room);
    }
    return this.#frame;
  }
}

/** Ids differ a little in length. */
const SPARE_BYTES = 32;

/** Writes a WebSocket frame's header (RFC 6455, 5.2, unmasked) so that it ends at `end`; returns where it begins. */
function writeHeader(frame: Buffer, end: number, first: number, length: number): number {
  let start: number;
  if (length < 126) {
    start = end - 2;
    frame[start + 1] = length;
  } else if (length <= 0xffff) {
    start = end - 4;
    frame[start + 1] = 126;
    frame.writeUInt16BE(length, start + 2);
  } else {
    start = end - 10;
    frame[start + 1] = 127;
    frame.writeUInt32BE(0, start + 2);
    frame.writeUInt32BE(length, start + 6);
  }
  frame[start] = first;
  return start;
}
