import type { Duplex } from 'node:stream';
import { promisify } from 'node:util';
import { constants, deflateRaw, deflateRawSync, type ZlibOptions } from 'node:zlib';
import type { ExecutionResult } from 'graphql';
import type { RenderedJson } from '../../delivery/index.js';
import { type FrameData, SharedFrame, type FrameWriter } from './frame-writer.js';

/** Size in bytes from which on a message is compressed in another thread. */
const LARGE_MESSAGE = 65_536;

export interface CompressionOptions {
  /** Smallest size in bytes of a compressed update. Null if updates are never compressed. */
  readonly threshold: number | null;
}

/**
 * Payload of one `next` message for all members of a subscription group. It is rendered and compressed once; the prefix
 * `{"id":…` of each subscription is written in front of it.
 */
export class SharedMessage {
  readonly #parts: RenderedJson;
  readonly #readers: number;
  readonly #frames: FrameWriter;
  readonly #threshold: number;
  #plain: SharedFrame | null = null;
  #deflated: Buffer | null = null;
  #deflatedFrame: SharedFrame | null = null;
  #text: string | null = null;
  #result: StringifiedResult | null = null;

  /** @param readers number of members that receive the message; nothing is reserved for reuse if there is only one */
  constructor(parts: RenderedJson, readers: number, frames: FrameWriter, compression: CompressionOptions) {
    this.#parts = parts;
    this.#readers = readers;
    this.#frames = frames;
    this.#threshold = compression.threshold ?? Infinity;
  }

  /** Payload as JSON text. */
  get text(): string {
    return (this.#text ??= this.#parts.map(String).join(''));
  }

  /** Result for Yoga, which sends its `stringify()` text unchanged. */
  get result(): ExecutionResult {
    this.#result ??= { stringify: () => this.text };
    return this.#result;
  }

  /** Compresses a large message in another thread, so that `writeTo` does not block the event loop. */
  async compressLarge(): Promise<void> {
    const size = measureParts(this.#parts);
    if (size < LARGE_MESSAGE || size < this.#threshold) return;
    this.#deflated ??= await deflateInThread(Buffer.concat([...this.#parts, '}'].map(toBytes)), this.#readers);
  }

  /**
   * Writes the message to the stream of a WebSocket.
   * @returns size of the message in bytes
   */
  writeTo(stream: Duplex, prefix: MessagePrefix, acceptsSharedDeflate: boolean): number {
    const { stored } = prefix;
    if (acceptsSharedDeflate && stored !== null && measureParts(this.#parts) >= this.#threshold) {
      this.#deflated ??= deflate(`${this.text}}`, this.#readers);
      if (this.#readers === 1) return this.#frames.write(stream, [stored, this.#deflated], RSV1);
      this.#deflatedFrame ??= new SharedFrame([this.#deflated], RSV1);
      return this.#deflatedFrame.writeTo(stream, stored);
    }
    if (this.#readers === 1) return this.#frames.write(stream, [prefix.plain, ...this.#parts, '}'], 0);
    this.#plain ??= new SharedFrame([...this.#parts, '}'], 0);
    return this.#plain.writeTo(stream, prefix.plain);
  }
}

interface StringifiedResult extends ExecutionResult {
  readonly stringify: () => string;
}

/** Measures the approximate size of a message: characters of strings, bytes of buffers. */
function measureParts(parts: readonly FrameData[]): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}

/** Prefix of all messages of one subscription, in front of the shared bytes. */
export class MessagePrefix {
  readonly plain: Buffer;
  #stored: Buffer | null | undefined;

  constructor(id: string) {
    this.plain = Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`);
  }

  /** Prefix as the first block of a DEFLATE stream. Null if it is too long for one stored block. */
  get stored(): Buffer | null {
    return (this.#stored ??= toStoredBlock(this.plain));
  }
}

/** Creates a stored block (RFC 1951, 3.2.4) that is not the last one, so that other blocks can follow. */
function toStoredBlock(bytes: Buffer): Buffer | null {
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

/** Compresses the payload of a message (RFC 7692, 7.2.1), without the four bytes that end each flush. */
function deflate(text: string, readers: number): Buffer {
  return deflateRawSync(text, deflateOptions(readers)).subarray(0, -4);
}

async function deflateInThread(bytes: Buffer, readers: number): Promise<Buffer> {
  return (await deflateRawAsync(bytes, deflateOptions(readers))).subarray(0, -4);
}

const deflateRawAsync = promisify<Buffer, ZlibOptions, Buffer>(deflateRaw);

function deflateOptions(readers: number): ZlibOptions {
  // A better compression is worth its time only if several clients share it.
  const level = readers === 1 ? constants.Z_BEST_SPEED : constants.Z_DEFAULT_COMPRESSION;
  return { finishFlush: constants.Z_SYNC_FLUSH, level };
}

function toBytes(part: FrameData): Buffer {
  return typeof part === 'string' ? Buffer.from(part) : part;
}

/** Reserved bit that marks a compressed message (RFC 7692). */
const RSV1 = 0x40;
