import type { Duplex } from 'node:stream';
import { constants, deflateRawSync } from 'node:zlib';
import type { ExecutionResult } from 'graphql';
import type { RenderedJson } from '../../delivery/index.js';
import { type FrameData, SharedFrame, type FrameWriter } from './frame-writer.js';

export interface CompressionOptions {
  /** Bytes of an update from which on clients that ask for it get it compressed; `null`: never. */
  readonly threshold: number | null;
}

/**
 * The payload of one `next` message for all subscriptions that are told the same at the same moment. Its bytes are
 * made, and compressed, once; each socket's own part, the `{"id":…` before them, is written in front of them.
 */
export class SharedMessage {
  readonly #parts: RenderedJson;
  readonly #readers: number;
  readonly #frames: FrameWriter;
  readonly #threshold: number;
  #plain: SharedFrame | null = null;
  #deflated: Buffer | null = null;
  #framedDeflated: SharedFrame | null = null;
  #text: string | null = null;
  #result: StringifiedResult | null = null;

  /** @param readers how many it is for: what is for one only need not be kept */
  constructor(parts: RenderedJson, readers: number, frames: FrameWriter, compression: CompressionOptions) {
    this.#parts = parts;
    this.#readers = readers;
    this.#frames = frames;
    this.#threshold = compression.threshold ?? Infinity;
  }

  /** The payload as JSON. */
  get text(): string {
    return (this.#text ??= this.#parts.map(String).join(''));
  }

  /** For whoever serialises results by itself: Yoga takes the text as it is. */
  get result(): ExecutionResult {
    this.#result ??= { stringify: () => this.text };
    return this.#result;
  }

  /**
   * Writes it to a WebSocket's stream as one text message.
   * @returns bytes of it
   */
  writeTo(stream: Duplex, prefix: MessagePrefix, mayDeflate: boolean): number {
    const { stored } = prefix;
    if (mayDeflate && stored !== null && lengthOf(this.#parts) >= this.#threshold) {
      this.#deflated ??= deflated(`${this.text}}`, this.#readers);
      if (this.#readers === 1) return this.#frames.write(stream, [stored, this.#deflated], RSV1);
      this.#framedDeflated ??= new SharedFrame([this.#deflated], RSV1);
      return this.#framedDeflated.writeTo(stream, stored);
    }
    if (this.#readers === 1) return this.#frames.write(stream, [prefix.plain, ...this.#parts, '}'], 0);
    this.#plain ??= new SharedFrame([...this.#parts, '}'], 0);
    return this.#plain.writeTo(stream, prefix.plain);
  }
}

interface StringifiedResult extends ExecutionResult {
  readonly stringify: () => string;
}

/** About: in characters where it is text. */
function lengthOf(parts: readonly FrameData[]): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}

/** What comes before the shared bytes in the messages of one subscription. */
export class MessagePrefix {
  readonly plain: Buffer;
  #stored: Buffer | null | undefined;

  constructor(id: string) {
    this.plain = Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`);
  }

  /** The same as the beginning of a DEFLATE stream; `null` when it is too long for one stored block. */
  get stored(): Buffer | null {
    return (this.#stored ??= storedBlock(this.plain));
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
function deflated(text: string, readers: number): Buffer {
  // Whoever pays for it alone gets the quick way.
  const level = readers === 1 ? constants.Z_BEST_SPEED : constants.Z_DEFAULT_COMPRESSION;
  return deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH, level }).subarray(0, -4);
}

/** RFC 7692: the message is compressed. */
const RSV1 = 0x40;
