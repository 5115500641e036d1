import type { Duplex } from 'node:stream';

/** Part of a message. Strings are written as UTF-8. */
export type FrameData = string | Buffer;

const FIN_TEXT = 0x81;
const MAX_HEADER_BYTES = 10;

/** Size of the buffer in which frames are assembled before they are written. */
const ARENA_BYTES = 256 * 1024;

/**
 * Writes WebSocket text frames for one client each. All frames of one turn of the event loop are assembled first and
 * written together, because waking local clients one by one costs more than the writes.
 */
export class FrameWriter {
  #arena: Buffer | null = null;
  #used = 0;
  #pendingBytes = 0;
  #pending: { readonly stream: Duplex; readonly frame: Buffer }[] = [];

  /**
   * Assembles one frame and writes it at the end of the turn.
   * @param rsv reserved bits to set
   * @returns size of the message in bytes
   */
  write(stream: Duplex, parts: readonly FrameData[], rsv: number): number {
    let length = 0;
    for (const part of parts) length += typeof part === 'string' ? Buffer.byteLength(part) : part.length;
    const target = this.#allocate(MAX_HEADER_BYTES + length);
    copyParts(target, MAX_HEADER_BYTES, parts);
    const start = writeHeader(target, MAX_HEADER_BYTES, FIN_TEXT | rsv, length);
    if (this.#pending.length === 0) queueMicrotask(() => this.#flush());
    this.#pending.push({ stream, frame: target.subarray(start) });
    this.#pendingBytes += length;
    // The send buffer of a WebSocket knows its unsent bytes only after a write.
    if (this.#pendingBytes >= ARENA_BYTES) this.#flush();
    return length;
  }

  #allocate(length: number): Buffer {
    if (length > ARENA_BYTES) return Buffer.allocUnsafeSlow(length);
    if (this.#used + length > ARENA_BYTES) this.#flush();
    this.#arena ??= Buffer.allocUnsafeSlow(ARENA_BYTES);
    const start = this.#used;
    this.#used += length;
    return this.#arena.subarray(start, this.#used);
  }

  #flush(): void {
    const pending = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#used = 0;
    for (const { stream, frame } of pending) {
      if (!stream.writable) continue;
      stream.write(frame);
      // The stream keeps the memory that the kernel has not copied yet.
      if (stream.writableLength > 0) this.#arena = null;
    }
  }
}

/**
 * Frame whose bytes are sent to many clients, each with its own prefix. Space is reserved in front of the shared bytes for
 * header and prefix, so that each frame is one piece of memory and one write.
 */
export class SharedFrame {
  readonly #bytes: Buffer;
  readonly #rsv: number;
  #frame: Buffer | null = null;
  #reservedBytes = 0;

  /** @param rsv reserved bits to set */
  constructor(parts: readonly FrameData[], rsv: number) {
    this.#bytes = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
    this.#rsv = rsv;
  }

  /** Writes the frame with a prefix. @returns size of the message in bytes */
  writeTo(stream: Duplex, prefix: Buffer): number {
    const frame = this.#frameFor(prefix.length);
    const prefixStart = this.#reservedBytes - prefix.length;
    prefix.copy(frame, prefixStart);
    const length = prefix.length + this.#bytes.length;
    const start = writeHeader(frame, prefixStart, FIN_TEXT | this.#rsv, length);
    stream.write(frame.subarray(start));
    // The memory is reused once the kernel has copied all of it. Otherwise the stream keeps it.
    if (stream.writableLength > 0) this.#frame = null;
    return length;
  }

  #frameFor(prefixLength: number): Buffer {
    if (this.#frame === null || this.#reservedBytes < MAX_HEADER_BYTES + prefixLength) {
      this.#reservedBytes = MAX_HEADER_BYTES + prefixLength + SPARE_BYTES;
      this.#frame = Buffer.allocUnsafeSlow(this.#reservedBytes + this.#bytes.length);
      this.#bytes.copy(this.#frame, this.#reservedBytes);
    }
    return this.#frame;
  }
}

/** Bytes reserved for longer prefixes, because the lengths of subscription ids differ. */
const SPARE_BYTES = 32;

function copyParts(target: Buffer, start: number, parts: readonly FrameData[]): void {
  let offset = start;
  for (const part of parts) {
    offset += typeof part === 'string' ? target.write(part, offset) : part.copy(target, offset);
  }
}

/** Writes the header of an unmasked WebSocket frame (RFC 6455, 5.2) that ends at `end`. @returns its start */
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
