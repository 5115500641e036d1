import type { Duplex } from 'node:stream';

/** Text is written as UTF-8. */
export type FrameData = string | Buffer;

const FIN_TEXT = 0x81;
const MAX_HEADER_BYTES = 10;

/** Bytes that the frames of single readers are put together in before they are written. */
const ARENA_BYTES = 256 * 1024;

/**
 * Writes WebSocket text frames that are for one reader each. Those of one turn of the event loop are put together
 * first and written together afterwards: a write wakes up its reader, and readers on this machine that are woken up
 * one by one cost more than the writes.
 */
export class FrameWriter {
  #arena: Buffer | null = null;
  #used = 0;
  #waitingBytes = 0;
  #waiters: { readonly stream: Duplex; readonly frame: Buffer }[] = [];

  /**
   * @param rsv the reserved bits that are set
   * @returns bytes of the message
   */
  write(stream: Duplex, parts: readonly FrameData[], rsv: number): number {
    let length = 0;
    for (const part of parts) length += typeof part === 'string' ? Buffer.byteLength(part) : part.length;
    const room = this.#room(MAX_HEADER_BYTES + length);
    fill(room, MAX_HEADER_BYTES, parts);
    const from = writeHeader(room, MAX_HEADER_BYTES, FIN_TEXT | rsv, length);
    if (this.#waiters.length === 0) queueMicrotask(() => this.#flush());
    this.#waiters.push({ stream, frame: room.subarray(from) });
    this.#waitingBytes += length;
    // Whether a socket has room is known only once it has been written to.
    if (this.#waitingBytes >= ARENA_BYTES) this.#flush();
    return length;
  }

  #room(length: number): Buffer {
    if (length > ARENA_BYTES) return Buffer.allocUnsafeSlow(length);
    if (this.#used + length > ARENA_BYTES) this.#flush();
    this.#arena ??= Buffer.allocUnsafeSlow(ARENA_BYTES);
    const from = this.#used;
    this.#used += length;
    return this.#arena.subarray(from, this.#used);
  }

  #flush(): void {
    const waiting = this.#waiters;
    this.#waiters = [];
    this.#waitingBytes = 0;
    this.#used = 0;
    for (const { stream, frame } of waiting) {
      if (!stream.writable) continue;
      stream.write(frame);
      // What the kernel has not copied yet belongs to the stream.
      if (stream.writableLength > 0) this.#arena = null;
    }
  }
}

/**
 * Bytes that go out many times with something else in front of them each time. They are kept with room before them,
 * and what comes before them is written there, so that each frame is one piece of memory and one write.
 */
export class SharedFrame {
  readonly #bytes: Buffer;
  readonly #rsv: number;
  #frame: Buffer | null = null;
  #room = 0;

  /** @param rsv the reserved bits that are set */
  constructor(parts: readonly FrameData[], rsv: number) {
    this.#bytes = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
    this.#rsv = rsv;
  }

  /** @returns bytes of the message */
  writeTo(stream: Duplex, prefix: Buffer): number {
    const frame = this.#frameFor(prefix.length);
    const start = this.#room - prefix.length;
    prefix.copy(frame, start);
    const length = prefix.length + this.#bytes.length;
    const from = writeHeader(frame, start, FIN_TEXT | this.#rsv, length);
    stream.write(frame.subarray(from));
    // Nothing waits: the kernel has copied it, and the next one may write over it. Otherwise it belongs to the stream.
    if (stream.writableLength > 0) this.#frame = null;
    return length;
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

function fill(target: Buffer, from: number, parts: readonly FrameData[]): void {
  let at = from;
  for (const part of parts) at += typeof part === 'string' ? target.write(part, at) : part.copy(target, at);
}

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
