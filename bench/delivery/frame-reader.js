// Minimal WebSocket client, so that a thousand clients cost less than the measured server. Masks with zeros, and leaves
// decompression to its user.
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';

const TEXT = 1;
const CONTINUATION = 0;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** Read buffer of all sockets. Every read overwrites it. */
const SHARED = Buffer.allocUnsafe(256 * 1024);

export class FrameSocket {
  /** Bytes from the network, handshake included. */
  bytesRead = 0;
  /** Negotiated extensions. Empty if there are none. */
  extensions = '';
  /** Number of bytes of each message to keep for `onMessage`. */
  keep = Infinity;
  #socket;
  #handlers;
  #head = '';
  #open = false;
  #header = Buffer.alloc(14);
  #headerLength = 0;
  #inPayload = false;
  #remaining = 0;
  #kept = [];
  #keptLength = 0;
  #control = [];
  #compressed = false;

  /** @param handlers onOpen(), onMessage(kept bytes, compressed), onClose(reason) */
  constructor({ port, compressed, handlers }) {
    this.#handlers = handlers;
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: SHARED,
        callback: (length, buffer) => {
          this.bytesRead += length;
          this.#read(buffer, length);
          return true;
        },
      },
    });
    const offer = compressed ? 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n' : '';
    this.#socket.on('connect', () => {
      this.#socket.write(
        `GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n` +
          `Sec-WebSocket-Protocol: graphql-transport-ws\r\n${offer}\r\n`,
      );
    });
    this.#socket.on('error', (error) => handlers.onClose(error.message));
    this.#socket.on('close', () => handlers.onClose('connection closed'));
  }

  send(text) {
    this.#write(TEXT, Buffer.from(text));
  }

  pause() {
    this.#socket.pause();
  }

  end() {
    this.#socket.destroy();
  }

  #write(opcode, payload) {
    const { length } = payload;
    const header = length < 126 ? Buffer.alloc(6) : Buffer.alloc(8);
    header[0] = 0x80 | opcode;
    header[1] = 0x80 | Math.min(length, 126);
    if (length >= 126) header.writeUInt16BE(length, 2);
    this.#socket.write(Buffer.concat([header, payload]));
  }

  #read(buffer, length) {
    let at = this.#open ? 0 : this.#readHandshake(buffer, length);
    while (at < length) {
      if (!this.#inPayload) {
        this.#header[this.#headerLength++] = buffer[at++];
        this.#readHeader();
        continue;
      }
      const end = Math.min(length, at + this.#remaining);
      this.#keepSome(buffer, at, end);
      this.#remaining -= end - at;
      at = end;
      if (this.#remaining === 0) this.#endFrame();
    }
  }

  /** Returns the offset of the first frame. */
  #readHandshake(buffer, length) {
    const before = this.#head.length;
    this.#head += buffer.toString('latin1', 0, length);
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return length;
    if (!this.#head.startsWith('HTTP/1.1 101')) {
      this.#handlers.onClose(this.#head.slice(0, 60));
      this.#socket.destroy();
      return length;
    }
    this.extensions = /sec-websocket-extensions: (.*)/i.exec(this.#head)?.[1]?.trim() ?? '';
    this.#open = true;
    this.#head = '';
    this.#handlers.onOpen();
    return end + 4 - before;
  }

  #readHeader() {
    if (this.#headerLength < 2) return;
    const short = this.#header[1] & 0x7f;
    const headerLength = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (this.#headerLength < headerLength) return;
    this.#remaining = short;
    if (short === 126) this.#remaining = this.#header.readUInt16BE(2);
    if (short === 127) this.#remaining = Number(this.#header.readBigUInt64BE(2));
    this.#headerLength = 0;
    this.#inPayload = true;
    this.#control = [];
    if ((this.#header[0] & 0x0f) === TEXT) {
      this.#kept = [];
      this.#keptLength = 0;
      this.#compressed = (this.#header[0] & 0x40) !== 0;
    }
    if (this.#remaining === 0) this.#endFrame();
  }

  #keepSome(buffer, from, to) {
    // Control frames may arrive between the frames of a message.
    if ((this.#header[0] & 0x0f) >= CLOSE) {
      this.#control.push(Buffer.from(buffer.subarray(from, to)));
      return;
    }
    const end = Math.min(to, from + this.keep - this.#keptLength);
    if (end <= from) return;
    this.#kept.push(Buffer.from(buffer.subarray(from, end)));
    this.#keptLength += end - from;
  }

  #endFrame() {
    this.#inPayload = false;
    const final = (this.#header[0] & 0x80) !== 0;
    const opcode = this.#header[0] & 0x0f;
    if (opcode === PING) this.#write(PONG, Buffer.concat(this.#control));
    else if (opcode === CLOSE) {
      const payload = Buffer.concat(this.#control);
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      this.#handlers.onClose(`closed with ${code} ${payload.subarray(2).toString()}`);
      this.#socket.destroy();
    } else if (final && (opcode === TEXT || opcode === CONTINUATION)) {
      this.#handlers.onMessage(this.#kept, this.#compressed);
    }
  }
}
