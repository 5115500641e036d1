// Subscriber of the benchmark. Counts updates, and parses them only if it is sampled.
import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { constants, inflateRawSync } from 'node:zlib';
import { FrameSocket } from './frame-reader.js';
import { SUBSCRIPTION, createVariables } from './operation.js';

const STAMP = '"tokenUsage":';
const WINDOW_BYTES = 32 * 1024;
/** Number of bytes that identify a message. */
const HEAD_BYTES = 80;

export class Subscriber {
  updates = 0;
  /** Reason of an unexpected end. Null if there was none. */
  failure = null;
  #socket;
  #options;
  #subscribed = false;
  #awaitingFirstUpdate = false;
  #left = false;
  #acknowledged;
  #first;
  #dictionary = Buffer.alloc(0);

  /** @param options port, compressed, index, filters, hz, sampled, token, onLatency(ms) */
  constructor(options) {
    this.#options = options;
    this.ready = new Promise((resolve, reject) => {
      this.#acknowledged = { resolve, reject };
    });
    this.#socket = new FrameSocket({
      port: options.port,
      compressed: options.compressed,
      handlers: {
        onOpen: () => this.#socket.send(JSON.stringify({ type: 'connection_init', ...createPayload(options) })),
        onMessage: (kept, compressed) => this.#onMessage(kept, compressed),
        onClose: (reason) => this.#fail(reason),
      },
    });
  }

  get bytes() {
    return this.#socket.bytesRead;
  }

  get extensions() {
    return this.#socket.extensions;
  }

  /** Subscribes, and resolves at the first update. */
  subscribe() {
    const { index, filters, hz, sampled } = this.#options;
    this.#subscribed = true;
    this.#socket.keep = sampled ? Infinity : HEAD_BYTES;
    const payload = { query: SUBSCRIPTION, variables: createVariables(filters, index, hz) };
    const first = new Promise((resolve, reject) => {
      this.#first = { resolve, reject };
    });
    // Unique ids, as the client of graphql-ws uses.
    this.#socket.send(JSON.stringify({ id: randomUUID(), type: 'subscribe', payload }));
    return first;
  }

  /** Stops reading permanently. */
  stall() {
    this.#socket.pause();
  }

  leave() {
    this.#left = true;
    this.#socket.end();
  }

  #onMessage(kept, compressed) {
    if (!this.#subscribed) {
      const text = this.#text(kept, compressed);
      if (text.includes('connection_ack')) this.#acknowledged.resolve();
      return;
    }
    this.updates += 1;
    const { sampled, onLatency } = this.#options;
    if (this.#awaitingFirstUpdate && !sampled) return;
    // A message can be decompressed only as a whole, which sampled subscribers keep.
    const text = sampled || !compressed ? this.#text(kept, compressed) : '';
    if (this.#awaitingFirstUpdate) {
      const stampMicros = readStamp(text);
      if (stampMicros !== null) onLatency(Number(process.hrtime.bigint()) / 1e6 - stampMicros / 1000);
      return;
    }
    this.#awaitingFirstUpdate = true;
    if (!sampled) this.#socket.keep = 0;
    if (text !== '' && (!text.includes('"next"') || text.includes('"errors"'))) this.#fail(text.slice(0, 200));
    else this.#first.resolve();
  }

  #text(kept, compressed) {
    const payload = kept.length === 1 ? kept[0] : Buffer.concat(kept);
    if (!compressed) return payload.toString('latin1');
    // RFC 7692: the sender omits the end of the block.
    const complete = Buffer.concat([payload, Buffer.from([0, 0, 0xff, 0xff])]);
    const output = inflateRawSync(complete, { dictionary: this.#dictionary, finishFlush: constants.Z_SYNC_FLUSH });
    if (!this.extensions.includes('server_no_context_takeover')) {
      this.#dictionary = Buffer.concat([this.#dictionary, output]).subarray(-WINDOW_BYTES);
    }
    return output.toString('latin1');
  }

  #fail(reason) {
    if (this.#left) return;
    this.failure ??= reason;
    const error = new Error(reason);
    this.#acknowledged.reject(error);
    this.#first?.reject(error);
  }
}

/** Returns the payload of `connection_init` with the token. */
function createPayload({ token }) {
  return token == null ? {} : { payload: { authorization: `Bearer ${token}` } };
}

/** Returns the time stamp of the first agent, which has waited longest if the update covers several ticks. */
function readStamp(text) {
  const at = text.indexOf(STAMP);
  if (at < 0) return null;
  const stamp = Number.parseInt(text.slice(at + STAMP.length, at + STAMP.length + 20), 10);
  return stamp > 0 ? stamp : null;
}
